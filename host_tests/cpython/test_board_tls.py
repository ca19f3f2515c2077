"""A board says nothing to a broker that does not prove who it is, and its door goes on meanwhile."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from brokers import mosquitto
from firmware_copy import planted
from scripted_gateway import MEMBER, ScriptedGateway, profile
from tls_witness import DAY, Issuer, Witness
from watching import PATIENCE_S, opens, until

from doorward_core import topics
from doorward_lab.lab import Lab

STRIKE = 25
CONNECT = b"\x00\x04MQTT\x04"
HANDSHAKE = b"\x16\x03"


@pytest.fixture(scope="module")
def authority() -> Issuer:
    return Issuer()


def secured(authority: Issuer, port: int) -> dict[str, Any]:
    return profile(port) | {"tls": authority.device("front")}


async def learnt(lab: Lab, port: int) -> None:
    """Let the board fetch a cache in which one card may pass, and stop it."""
    gateway = ScriptedGateway(port)
    try:
        board = await lab.start_board(profile(port))
        await until(lambda: bool(gateway.boot), board)
        gateway.offer_cache(7, [MEMBER])
        await until(lambda: _has_cache(gateway), board)
    finally:
        gateway.close()
    await lab.stop_board("front")


def _has_cache(gateway: ScriptedGateway) -> bool:
    return any(b'"cache_version":7' in p for s, p in gateway.heard if s == topics.REPORTED)


# What a broker may show instead of the right certificate; the fields are `Issuer.server`'s.
WRONG: dict[str, dict[str, Any]] = {
    "another CA": {},
    "another name": {"host": "evil.local"},
    "expired": {"since": -2 * DAY, "until": -timedelta(minutes=1)},
    "not yet valid": {"since": timedelta(hours=1), "until": 2 * DAY},
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_nothing_is_said_to_the_wrong_broker_and_the_door_works(
    wrong: str, lab: Lab, port: int, authority: Issuer, tmp_path: Path
) -> None:
    await learnt(lab, port)
    issuer = Issuer() if wrong == "another CA" else authority
    bad = authority.context(issuer.server(tmp_path / "bad.pem", **WRONG[wrong]))
    with Witness(bad) as witness:
        board = await lab.start_board(secured(authority, witness.port))
        await until(lambda: witness.connections >= 3, board)
        assert await opens(board, MEMBER)
        assert witness.said == b""
        assert not witness.subjects
        # The same board, the same port: only the certificate was in the way.
        witness.context = authority.context(authority.server(tmp_path / "good.pem"))
        await until(lambda: CONNECT in witness.said, board)
        assert witness.subjects[0]["subject"] == ((("commonName", "front"),),)
        assert len(board.starts) == 1


async def test_a_plain_port_hears_a_handshake_and_no_word_of_mqtt(
    lab: Lab, port: int, authority: Issuer, tmp_path: Path
) -> None:
    await learnt(lab, port)
    with Witness(None) as witness:
        board = await lab.start_board(secured(authority, witness.port))
        await until(lambda: witness.said.count(HANDSHAKE) >= 2, board)
        assert await opens(board, MEMBER)
        assert b"MQTT" not in witness.said
        assert bytes.fromhex(profile(0)["secret"]) not in witness.said
        assert profile(0)["secret"].encode() not in witness.said
        witness.said = b""
        witness.context = authority.context(authority.server(tmp_path / "good.pem"))
        await until(lambda: CONNECT in witness.said, board)


async def test_a_peer_that_stalls_the_handshake_keeps_nobody_waiting(
    lab: Lab, port: int, authority: Issuer, tmp_path: Path
) -> None:
    await learnt(lab, port)
    with Witness(authority.context(authority.server(tmp_path / "good.pem"))) as witness:
        witness.mute = True
        board = await lab.start_board(secured(authority, witness.port))
        await until(lambda: witness.connections == 1, board)
        for _ in range(2):
            assert await opens(board, MEMBER)
        witness.mute = False
        await until(lambda: CONNECT in witness.said, board, seconds=40)


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_mutant_that_verifies_nothing_is_caught(
    wrong: str, lab: Lab, authority: Issuer, tmp_path: Path
) -> None:
    # What ssl.SSLContext does by default: the witness has to be able to see it.
    firmware = planted(
        tmp_path, "doorward_node/tls_context.py", "tls.CERT_REQUIRED", "tls.CERT_NONE"
    )
    issuer = Issuer() if wrong == "another CA" else authority
    bad = authority.context(issuer.server(tmp_path / "bad.pem", **WRONG[wrong]))
    with Witness(bad) as witness:
        board = await lab.start_board(secured(authority, witness.port), firmware=firmware)
        await until(lambda: CONNECT in witness.said, board)


async def test_a_board_without_certificates_talks_to_its_own_machine_alone(lab: Lab) -> None:
    wrong = profile(8883)
    wrong["broker"]["host"] = "192.168.1.20"
    board = await lab.start_board(wrong)
    await board.wait_log("broker.host: without /tls only 127.0.0.1", PATIENCE_S)


async def test_half_a_set_of_certificates_is_named(lab: Lab, authority: Issuer) -> None:
    half = secured(authority, 8883)
    del half["tls"]["key.der"]
    board = await lab.start_board(half)
    await board.wait_log("/tls/key.der: missing", PATIENCE_S)


async def test_spoiled_certificates_do_not_stop_the_door(
    lab: Lab, port: int, authority: Issuer, tmp_path: Path
) -> None:
    await learnt(lab, port)
    spoiled = secured(authority, 0)
    spoiled["tls"]["cert.der"] = spoiled["tls"]["key.der"]
    with Witness(authority.context(authority.server(tmp_path / "good.pem"))) as witness:
        spoiled["broker"]["port"] = witness.port
        board = await lab.start_board(spoiled)
        await until(lambda: witness.connections >= 2, board)
        assert await opens(board, MEMBER)
        assert witness.said == b"" and len(board.starts) == 1


async def test_a_foreign_broker_lets_it_in_by_its_certificate(
    lab: Lab, authority: Issuer, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text(authority.pem)
    chain = authority.server(tmp_path / "server.pem")
    secure = {
        "cafile": tmp_path / "ca.pem",
        "certfile": chain,
        "keyfile": chain,
        "require_certificate": "true",
        "use_identity_as_username": "true",
    }
    with mosquitto(tmp_path, secure) as plain:
        gateway = ScriptedGateway(plain)
        gateway.cards = {MEMBER}
        try:
            board = await lab.start_board(secured(authority, plain + 1))
            await until(lambda: bool(gateway.boot and gateway.events), board)
            assert await opens(board, MEMBER)
            await until(lambda: bool(gateway.events_of("access.decision")), board)
            assert gateway.events_of("access.decision")[0]["source"] == "gateway"
        finally:
            gateway.close()
