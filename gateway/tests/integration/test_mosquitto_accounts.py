"""Accounts on a real Mosquitto: kept as they should be, and others' left alone. By delivery."""

import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mosquitto_clients import Client, context_of
from mosquitto_stage import SECRET, Stage, connected, grant, staged
from mosquittos import PATIENCE_S

from doorward.adapters.mosquitto.dynsec import Refused, talk
from doorward.adapters.mosquitto.grants import Grant
from doorward.errors import Unavailable


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as made:
        yield made


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
