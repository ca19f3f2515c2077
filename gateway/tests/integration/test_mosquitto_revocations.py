"""A board whose certificate is revoked is gone from a real Mosquitto, whenever that is. By delivery."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mosquitto_clients import Client
from mosquitto_stage import SECRET, Stage, connected, grant, staged

from doorward.adapters.mosquitto import accounts, keeper
from doorward.adapters.mosquitto.dynsec import talk
from doorward.adapters.mosquitto.grants import Grant
from doorward.errors import Unavailable


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as made:
        yield made


def test_a_revoked_board_is_cut_off_at_once_and_cannot_come_back(stage: Stage) -> None:
    front, side = stage.board("front"), stage.board("side")
    stage.keeper.admit(Grant("gateway", ("doorward/#",), ("doorward/#",), password=SECRET))
    gateway = Client(stage.plain, "gateway", user="gateway", secret=SECRET)
    gateway.subscribe("doorward/#")
    with connected(stage, front, clean=False) as lost, connected(stage, side) as stays:
        lost.subscribe("doorward/devices/front/down")
        stays.subscribe("doorward/devices/side/down")
        lost.publish("doorward/devices/front/up", b"1", retain=True)
        gateway.until(lambda: ("doorward/devices/front/up", b"1") in gateway.inbox)
        gateway.publish("doorward/devices/front/down", b"order")
        lost.until(lambda: lost.inbox == [("doorward/devices/front/down", b"order")])

        stage.keeper.expel("front")
        lost.until(lambda: not lost.connected)
        # Its certificate is good still: it comes in, and nothing more.
        again = Client(stage.secure, "front", identity=front, authority=stage.signer, clean=False)
        assert again.answer == "Success"
        gateway.inbox.clear()
        again.publish("doorward/devices/front/up", b"2")
        gateway.publish("doorward/devices/front/down", b"late")
        gateway.publish("doorward/devices/side/down", b"control")
        stays.until(lambda: stays.inbox == [("doorward/devices/side/down", b"control")])
        assert again.inbox == []
        assert ("doorward/devices/front/up", b"2") not in gateway.inbox

        stage.signer.forget("front")
        stage.keeper.enforce("front")
        again.until(lambda: not again.connected)
        for clean in (False, True):
            back = Client(
                stage.secure, "front", identity=front, authority=stage.signer, clean=clean
            )
            assert back.answer is None
            back.close()
        again.close()
        assert stays.connected, "the others did not notice"
        assert gateway.connected
        gateway.close()
    names = {one["username"] for one in stage.listing()["clients"]}
    assert "front" not in names
    # Its session, its queue and what it left are gone: whoever has that name next begins anew.
    stage.keeper.admit(Grant("front", (), ("doorward/#",), password=SECRET))
    heir = Client(stage.plain, "front", user="front", secret=SECRET, clean=False)
    assert heir.session_present is False
    heir.subscribe("doorward/#")
    time.sleep(0.3)
    assert heir.inbox == []
    heir.close()


def test_disabling_alone_would_not_do(stage: Stage) -> None:
    """Why `expel` and `enforce` do more: Mosquitto 2.0.11 lets a disabled account's certificate in, with its rights."""
    front = stage.board("front")
    with talk(stage.plain, stage.secret) as control:
        control.command({"command": "disableClient", "username": "front"})
    with connected(stage, front) as back:
        if back.answer == "Success":
            assert back.subscribe("doorward/devices/front/down") == ["Granted QoS 1"]


def test_what_is_revoked_while_mosquitto_is_away_stays_out(stage: Stage) -> None:
    front, side = stage.board("front"), stage.board("side")
    stage.made.ask("stop")
    with pytest.raises(Unavailable, match="start it with `doorward broker mosquitto start`"):
        stage.keeper.expel("front")
    stage.signer.forget("front")
    with pytest.raises(Unavailable):
        stage.keeper.enforce("front")
    stage.made.ask("start")
    with connected(stage, side) as other:
        assert other.answer == "Success"
    with connected(stage, front) as back:
        assert back.answer is None, "the revocation list was on disk already"
    assert set(stage.keeper.sync().changed) == {"deleteClient front", "deleteRole doorward/front"}


def left_behind(stage: Stage, name: str, path: Path) -> None:
    """A board goes away from a session with a subscription, and from something retained."""
    with connected(stage, path, clean=False) as board:
        board.subscribe(f"doorward/devices/{name}/down")
        board.publish(f"doorward/devices/{name}/up", b"state", retain=True)


@pytest.mark.parametrize(
    ("restarted", "again"),
    [
        (False, False),
        (False, True),
        (True, False),  # and where both are true, nobody can tell that board from this one
    ],
)
def test_what_is_left_by_who_went_while_mosquitto_was_away_goes_when_it_is_back(
    stage: Stage, restarted: bool, again: bool
) -> None:
    """Of a board and of a user, also by a gateway that was started anew; and of a name that is given again."""
    front, side = stage.board("front"), stage.board("side")
    for name, path in (("front", front), ("side", side)):
        left_behind(stage, name, path)
    user = Grant("ann", (), ("school/#",), password=SECRET, proof="doorward: password 1")
    stage.keeper.admit(user)
    ann = Client(stage.plain, "ann", user="ann", secret=SECRET, clean=False)
    ann.subscribe("school/#")
    ann.close()
    stage.made.ask("stop")
    for away in (
        lambda: stage.keeper.expel("front"),
        lambda: stage.keeper.dismiss("ann"),
    ):
        with pytest.raises(Unavailable):
            away()
    if restarted:
        stage.keeper = stage.new_keeper()
        stage.keeper.want(grant("side"))
    if again:
        stage.keeper.want(grant("front"))
    stage.made.ask("start")
    stage.keeper.sync()
    names = {one["username"] for one in stage.listing()["clients"]}
    assert "ann" not in names
    assert ("front" in names) is again
    for name, kept in (("front", False), ("side", True), ("ann", False)):
        if name not in names:
            stage.keeper.admit(Grant(name, (), ()))
        with talk(stage.plain, stage.secret) as control:
            control.command({"command": "setClientPassword", "username": name, "password": SECRET})
        heir = Client(stage.plain, name, user=name, secret=SECRET, clean=False)
        assert heir.session_present is kept, name
        heir.close()
    stage.keeper.admit(Grant("heir", (), ("doorward/#",), password=SECRET))
    heir = Client(stage.plain, "heir", user="heir", secret=SECRET)
    heir.subscribe("doorward/#")
    heir.until(lambda: ("doorward/devices/side/up", b"state") in heir.inbox)
    time.sleep(0.3)
    assert len(heir.inbox) == 1, "nothing of who went"
    heir.close()


def test_an_enforcement_that_breaks_off_takes_no_account_away(stage, monkeypatch):
    """A board that has a new certificate comes back, whatever happens while the old one is revoked."""

    def breaks_off(port, secret, name=accounts.CONTROL):
        if name == "front":
            raise Unavailable("Mosquitto is away", "wait")
        return talk(port, secret, name)

    stage.board("front")
    monkeypatch.setattr(keeper, "talk", breaks_off)
    with pytest.raises(Unavailable):
        stage.keeper.enforce("front")
    monkeypatch.undo()
    assert "front" not in {one["username"] for one in stage.listing()["clients"]}
    stage.keeper.sync()
    assert "front" in {one["username"] for one in stage.listing()["clients"]}
