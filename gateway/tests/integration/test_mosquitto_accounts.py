"""Accounts on a real Mosquitto: kept as they should be, others' left alone, and a revoked board's gone. By delivery."""

import socket
import ssl
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mosquitto_clients import Client, context_of, identity
from mosquittos import PATIENCE_S, Site, site

from doorward.adapters.mosquitto import accounts, keeper
from doorward.adapters.mosquitto.configuration import listeners_of
from doorward.adapters.mosquitto.dynsec import Refused, talk
from doorward.adapters.mosquitto.grants import Grant
from doorward.adapters.mosquitto.keeper import Keeper
from doorward.adapters.mosquitto.places import Places
from doorward.adapters.mosquitto.process import Process
from doorward.errors import Unavailable
from doorward.signer import Signer

SECRET = "5e" * 32


class Stage:
    """A Mosquitto that runs, and who keeps its accounts."""

    def __init__(self, made: Site) -> None:
        self.made = made
        self.signer = Signer(made.data / "signer")
        places = Places(made.files)
        listeners = listeners_of(places.configuration.read_text())
        self.process = Process(places, listeners)
        self.plain, self.secure, self.websocket = (
            listeners.plain,
            listeners.secure,
            listeners.websocket or 0,
        )
        self.secret = accounts.load(places.secret)
        self._places = places
        self.keeper = self.new_keeper()
        self.identities = made.data / "identities"
        self.identities.mkdir()

    def new_keeper(self) -> Keeper:
        """One that wants nobody yet, as after a restart."""
        return Keeper(
            self._places,
            self.process,
            self.plain,
            self.secret,
            lambda: (self.signer.certificate(), self.signer.crl()),
            lambda name: (f"doorward/devices/{name}/#",),
        )

    def board(self, name: str) -> Path:
        """A board with a certificate, let in; returns its certificate and key."""
        path = identity(self.signer.adopt(name), self.identities)
        self.keeper.admit(grant(name))
        return path

    def listing(self) -> dict[str, Any]:
        with talk(self.plain, self.secret) as control:
            return {
                "clients": control.listed("listClients", "clients"),
                "roles": control.listed("listRoles", "roles"),
            }


def grant(name: str) -> Grant:
    return Grant(name, (f"doorward/devices/{name}/up",), (f"doorward/devices/{name}/down",))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with site(tmp_path / "site") as made:
        made.ask("start")
        yield Stage(made)


@contextmanager
def connected(stage: Stage, path: Path, **how: Any) -> Iterator[Client]:
    client = Client(stage.secure, path.stem, identity=path, authority=stage.signer, **how)
    try:
        yield client
    finally:
        client.close()


def test_sync_does_nothing_where_nothing_differs_and_leaves_others_alone(stage: Stage) -> None:
    with talk(stage.plain, stage.secret) as control:
        control.command(
            {"command": "createRole", "rolename": "theirs", "acls": []},
            {"command": "createClient", "username": "them", "roles": [{"rolename": "theirs"}]},
        )
    for number in range(250):
        stage.keeper.want(grant(f"board{number}"))
    stage.keeper.want(Grant("gateway", ("doorward/#",), ("doorward/#",), password=SECRET))
    first = stage.keeper.sync()
    assert len(first.changed) == 2 * 251
    before = stage.listing()
    assert len(before["clients"]) == 251 + 2
    assert stage.keeper.sync().changed == ()
    assert stage.listing() == before
    # Whatever somebody else did to one of ours is put right, and that alone.
    with talk(stage.plain, stage.secret) as control:
        control.command(
            {"command": "addClientRole", "username": "board7", "rolename": "theirs"},
            {"command": "disableClient", "username": "board8"},
            {"command": "removeClientRole", "username": "board9", "rolename": "doorward/board9"},
            {
                "command": "addRoleACL",
                "rolename": "doorward/board10",
                "acltype": "subscribePattern",
                "topic": "#",
                "allow": True,
            },
            {"command": "createRole", "rolename": "doorward/ghost", "acls": []},
            {
                "command": "createClient",
                "username": "ghost",
                "roles": [{"rolename": "doorward/ghost"}],
            },
        )
    assert set(stage.keeper.sync().changed) == {
        "deleteClient ghost",
        "deleteRole doorward/ghost",
        "modifyClient board7",
        "enableClient board8",
        "modifyClient board9",
        "modifyRole doorward/board10",
        "disableClient board10",
        "enableClient board10",
    }
    after = stage.listing()
    assert _sorted(after) == _sorted(before)
    assert "them" in {one["username"] for one in after["clients"]}


def _sorted(listing: dict[str, Any]) -> list[str]:
    return sorted(
        str(sorted((key, str(value)) for key, value in one.items()))
        for kind in ("clients", "roles")
        for one in listing[kind]
    )


def test_a_board_is_who_its_certificate_says_and_has_no_other_way_in(stage: Stage) -> None:
    front, side = stage.board("front"), stage.board("side")
    with connected(stage, front) as one:
        one.subscribe("doorward/devices/front/down")
        # Another board that calls itself by the first one's id, with and without a name.
        for user in (None, "front"):
            liar = Client(
                stage.secure, "front", identity=side, authority=stage.signer, user=user, secret="x"
            )
            assert liar.answer == "Success", "it is let in, as itself"
            assert liar.subscribe("doorward/devices/front/down") == ["Unspecified error"]
            assert liar.subscribe("doorward/devices/side/down") == ["Granted QoS 1"]
            liar.close()
        assert one.connected, "nobody takes its session over"
        # A board's name without its certificate is worth nothing on any listener.
        for port in (stage.plain, stage.websocket):
            for secret in (None, "", "x"):
                thief = Client(
                    port,
                    "front",
                    user="front",
                    secret=secret,
                    authority=stage.signer,
                    tls=port == stage.websocket,
                    websocket=port == stage.websocket,
                )
                assert thief.answer == "Not authorized"
                thief.close()
        assert one.connected
    bare = Client(stage.secure, "front", authority=stage.signer, tls=True)
    assert bare.answer is None, "nobody without a certificate gets a word in"
    bare.close()
    assert shakes_hands(stage, front, ssl.TLSVersion.TLSv1_2)
    assert not shakes_hands(stage, front, ssl.TLSVersion.TLSv1_1)


def shakes_hands(stage: Stage, path: Path, newest: ssl.TLSVersion) -> bool:
    """Whether the listener for boards speaks no newer TLS than this with a board that asks for it."""
    context = context_of(stage.signer, path)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old on purpose
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = newest
    with socket.create_connection(("127.0.0.1", stage.secure), PATIENCE_S) as raw:
        try:
            context.wrap_socket(raw).close()
        except ssl.SSLError:
            return False
    return True


def test_who_has_a_password_comes_in_over_websocket_and_takes_nobodys_session(
    stage: Stage,
) -> None:
    stage.keeper.admit(Grant("anna", ("school/#",), ("school/#",), password=SECRET))
    front = stage.board("front")
    with connected(stage, front) as board:
        anna = Client(
            stage.websocket,
            "front",  # a board's id as her own
            user="anna",
            secret=SECRET,
            authority=stage.signer,
            tls=True,
            websocket=True,
        )
        assert anna.answer == "Success"
        anna.subscribe("school/#")
        anna.publish("school/bell", b"ring")
        anna.until(lambda: anna.inbox == [("school/bell", b"ring")])
        assert board.connected
        anna.close()


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


def test_what_it_refuses_is_said_without_secrets(stage: Stage) -> None:
    with talk(stage.plain, stage.secret) as control, pytest.raises(Refused) as told:
        control.command({"command": "setClientPassword", "username": "nobody", "password": SECRET})
    assert "setClientPassword nobody: Client not found" in told.value.message
    assert SECRET not in repr(told.value)
    with pytest.raises(Unavailable, match="setup --again"), talk(stage.plain, "wrong"):
        pass
    with pytest.raises(Unavailable, match="does not answer on"), talk(1, "x"):
        pass
    assert threading.active_count() < 10
    assert PATIENCE_S


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
