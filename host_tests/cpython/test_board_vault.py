"""A vault: real firmware on real MicroPython, a foreign broker, and the solenoid that pulls its bolt as witness."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from firmware_copy import planted
from scripted_gateway import KEY, ScriptedGateway
from virtual_vault import (
    HEAP_KIB,
    METRICS,
    RIGHT,
    SOLENOID,
    WRONG,
    happens,
    keypad_profile,
    pulls,
    said,
    show,
    status,
    turns,
    vault_profile,
    wrong,
)
from watching import PATIENCE_S, until

from doorward_core import codes, lockout, seal, topics
from doorward_lab.board import Board
from doorward_lab.lab import Lab

# At least as many operations of the flash as one attempt costs; on_board/test_lockout_cuts.py knows all places.
_CUTS = 6
LOCKED_OUT = (lockout.STATE, lockout.ERROR)
# A hold that a test can wait for; that it is thirty seconds otherwise, the tests of the table say.
SHORT_HOLD = ("doorward_core/lockout.py", "CLASSIC_MS = const(30000)", "CLASSIC_MS = const(6000)")


@pytest.fixture
def gateway(port: int) -> Iterator[ScriptedGateway]:
    gateway = ScriptedGateway(port, "vault")
    gateway.cards = {RIGHT}
    yield gateway
    gateway.close()


async def power_on(board: Board, gateway: ScriptedGateway) -> None:
    before = gateway.boot
    await board.power_on()
    await until(lambda: gateway.boot != before, board)


async def start(
    lab: Lab, port: int, gateway: ScriptedGateway, firmware: Path | None = None, **changes: str
) -> Board:
    installed = vault_profile(port, **changes)
    board = await lab.start_board(installed, heap_kib=HEAP_KIB, firmware=firmware)
    await until(lambda: gateway.boot and gateway.events and status(gateway)[0] == "LOCKED", board)
    return board


@pytest.fixture
async def board(lab: Lab, port: int, gateway: ScriptedGateway) -> Board:
    return await start(lab, port, gateway)


async def challenge(board: Board, gateway: ScriptedGateway) -> str:
    offered = len(gateway.acks)
    gateway.command("challenge", {"for": "unlock"})
    await until(lambda: len(gateway.acks) > offered, board)
    nonce: str = gateway.acks[-1]["nonce"]
    return nonce


async def unlocks(board: Board, gateway: ScriptedGateway) -> bool:
    before = pulls(board)
    await show(board, gateway, RIGHT)
    return await happens(lambda: pulls(board) > before)


async def test_a_right_card_pulls_the_bolt_once_and_it_relocks(
    board: Board, gateway: ScriptedGateway
) -> None:
    assert pulls(board) == 0
    assert await unlocks(board, gateway)
    await until(lambda: len(gateway.events_of("lock.changed")) >= 3, board)
    await until(lambda: status(gateway) == ("LOCKED", None), board)
    states = [body["state"] for body in said(gateway, topics.REPORTED)]
    assert "UNLOCKED" in states and pulls(board) == 1
    pulled = [edge.level for edge in board.edges if edge.pin == SOLENOID]
    assert pulled == [0, 1, 0]


async def test_five_wrong_cards_do_not_lock_the_sixth_does_and_only_a_challenge_releases(
    board: Board, gateway: ScriptedGateway
) -> None:
    assert await wrong(board, gateway, 5) == 5
    assert await unlocks(board, gateway)
    await until(lambda: status(gateway) == ("LOCKED", None), board)
    assert await wrong(board, gateway, 6) == 6
    await until(lambda: status(gateway) == LOCKED_OUT, board)
    await until(lambda: said(gateway, METRICS)[-1]["login_attempts"] == 6, board)
    await until(lambda: bool(gateway.events_of("lockout.entered")), board)
    assert any(f"{lockout.STATE} {lockout.ERROR}" in line for line in board.log)
    assert not await unlocks(board, gateway)

    await board.kill()
    await power_on(board, gateway)
    assert not await unlocks(board, gateway)
    assert await wrong(board, gateway, 1) == 0
    gateway.command("release", {})
    gateway.command("unlock", {"seconds": 2})
    await until(lambda: sum(ack.get("result") == "unknown" for ack in gateway.acks) == 2, board)
    assert pulls(board) == 1

    gateway.publish(topics.CONTROL, gateway.unlock(await challenge(board, gateway)))
    await until(lambda: pulls(board) == 2, board)
    await until(lambda: bool(gateway.events_of("lockout.cleared")), board)
    await until(lambda: status(gateway) == ("LOCKED", None), board)
    assert await unlocks(board, gateway)


async def locked_out(board: Board, gateway: ScriptedGateway) -> None:
    await wrong(board, gateway, 6)
    await until(lambda: status(gateway) == LOCKED_OUT, board)


async def test_a_replayed_forged_foreign_or_retained_release_moves_nothing(
    board: Board, gateway: ScriptedGateway
) -> None:
    await locked_out(board, gateway)
    right = gateway.unlock(await challenge(board, gateway))
    gateway.publish(topics.CONTROL, right)
    await until(lambda: pulls(board) == 1, board)  # this is what one looks like that is genuine
    await until(lambda: status(gateway) == ("LOCKED", None), board)

    await locked_out(board, gateway)
    nonce = await challenge(board, gateway)
    word = "n:" + nonce
    body = right.rsplit(b"\n", 1)[0]
    tampered = gateway.unlock(nonce).replace(b'"seconds":1', b'"seconds":9')
    for payload in (
        right,
        tampered,
        seal.seal(seal.Keys("front", KEY), topics.CONTROL, word, body),
        seal.seal(seal.Keys("vault", bytes(32)), topics.CONTROL, word, body),
        seal.seal(gateway.keys, topics.ACCESS_RESPONSE, word, body),
        body,
    ):
        gateway.publish(topics.CONTROL, payload)
    await asyncio.sleep(0.5)
    assert pulls(board) == 1 and status(gateway) == LOCKED_OUT
    # Nothing of that has used the nonce up; kept by the broker, it is worth nothing after a start.
    gateway.publish(topics.CONTROL, gateway.unlock(nonce), retain=True)
    await until(lambda: pulls(board) == 2, board)
    await locked_out(board, gateway)
    await board.kill()
    await power_on(board, gateway)
    await asyncio.sleep(0.5)
    assert pulls(board) == 2 and not await unlocks(board, gateway)


async def test_a_mutant_that_does_not_check_nonces_is_caught(
    lab: Lab, port: int, gateway: ScriptedGateway, tmp_path: Path
) -> None:
    firmware = planted(
        tmp_path, "doorward_node/commands.py", "self.release.take(value, now)", "True"
    )
    board = await start(lab, port, gateway, firmware)
    await locked_out(board, gateway)
    right = gateway.unlock(await challenge(board, gateway))
    for count in (1, 2):
        gateway.publish(topics.CONTROL, right)
        await until(lambda count=count: pulls(board) == count, board)
        await until(lambda: status(gateway) == ("LOCKED", None), board)


async def test_a_release_that_only_ends_the_lockout_pulls_nothing(
    board: Board, gateway: ScriptedGateway
) -> None:
    await locked_out(board, gateway)
    word = "n:" + await challenge(board, gateway)
    gateway.publish(topics.CONTROL, gateway.sealed_command(word, "release", {}))
    await until(lambda: status(gateway) == ("LOCKED", None), board)
    assert pulls(board) == 0 and await unlocks(board, gateway)


async def test_a_commanded_lockout_is_kept_through_a_power_cut(
    board: Board, gateway: ScriptedGateway
) -> None:
    gateway.command("lockout", {})
    await until(lambda: status(gateway) == LOCKED_OUT, board)
    await board.kill()
    await power_on(board, gateway)
    assert not await unlocks(board, gateway)


async def test_classic_says_once_that_it_is_locked_and_then_nothing_until_it_is_over(
    lab: Lab, port: int, gateway: ScriptedGateway, tmp_path: Path
) -> None:
    board = await start(lab, port, gateway, planted(tmp_path, *SHORT_HOLD), profile="classic")
    await wrong(board, gateway, 6)
    await until(lambda: status(gateway) == LOCKED_OUT, board)
    heard = len(gateway.heard)
    gateway.command("lockout", {})
    gateway.command("status", {})
    gateway.command("challenge", {"for": "unlock"})
    assert not await unlocks(board, gateway)
    assert not await happens(lambda: len(gateway.heard) > heard, 1)
    assert status(gateway) == LOCKED_OUT
    await until(lambda: status(gateway) == ("LOCKED", None), board)
    await until(lambda: bool(gateway.events_of("lockout.cleared")), board)
    assert await unlocks(board, gateway)


async def test_a_classic_vault_that_is_told_to_lock_says_nothing_at_all_meanwhile(
    lab: Lab, port: int, gateway: ScriptedGateway, tmp_path: Path
) -> None:
    board = await start(lab, port, gateway, planted(tmp_path, *SHORT_HOLD), profile="classic")
    await asyncio.sleep(1)  # what a start has to say
    heard = len(gateway.heard)
    gateway.command("lockout", {})
    await board.wait_log(f"{lockout.STATE} {lockout.ERROR}", PATIENCE_S)
    assert not await happens(lambda: len(gateway.heard) > heard, 2)
    await until(lambda: bool(gateway.events_of("lockout.cleared")), board)
    assert [event["cause"] for event in gateway.events_of("lockout.entered")] == ["command"]


async def test_metrics_have_the_seeds_keys(board: Board, gateway: ScriptedGateway) -> None:
    await until(lambda: bool(said(gateway, METRICS)), board)
    found = said(gateway, METRICS)[-1]
    assert set(found) == {"login_attempts", "cpu", "heap", "network", "uptime", "timestamp"}
    assert 0 <= found["cpu"] <= 100 and found["heap"]["used"] > 0 and found["heap"]["free"] > 0
    assert found["network"]["connects"] == 1 and found["login_attempts"] == 0


async def test_keep_alives_that_stop_are_noticed(board: Board, gateway: ScriptedGateway) -> None:
    def control() -> bool | None:
        noticed: bool | None = said(gateway, topics.REPORTED)[-1]["control"]
        return noticed

    assert control() is None
    gateway.command("keepalive", {"interval_s": 1})
    await until(lambda: control() is True, board)
    await until(lambda: control() is False, board)


# --- a keypad and a servo


async def test_codes_on_a_keypad_turn_a_servo_and_six_wrong_ones_lock(
    lab: Lab, port: int, gateway: ScriptedGateway
) -> None:
    gateway.cards = {codes.credential("4711")}
    board = await lab.start_board(keypad_profile(port), heap_kib=HEAP_KIB)
    await until(lambda: gateway.events and status(gateway)[0] == "LOCKED", board)
    assert turns(board) == ["locked"]
    await board.type_keys("12*4711#")
    await until(lambda: turns(board) == ["locked", "unlocked", "locked"], board)
    await until(lambda: status(gateway) == ("LOCKED", None), board)
    for number in range(6):
        await board.type_keys(f"123{number}#", hold_ms=80)
    await until(lambda: status(gateway) == LOCKED_OUT, board)
    await board.type_keys("4711#")
    await asyncio.sleep(0.5)
    assert turns(board) == ["locked", "unlocked", "locked"]
    assert len(gateway.requests) == 7
    # Nobody reads a code in the log, or how long it was.
    assert {data["tail"] for data in gateway.events_of("access.decision")} == {"code"}


async def test_a_bolt_that_sticks_is_told(lab: Lab, port: int, gateway: ScriptedGateway) -> None:
    gateway.cards = {codes.credential("4711")}
    board = await lab.start_board(keypad_profile(port), heap_kib=HEAP_KIB)
    await until(lambda: gateway.events and status(gateway)[0] == "LOCKED", board)
    await board.type_keys("4711#")
    await until(lambda: status(gateway)[0] == "UNLOCKED", board)
    board.set_jam(True)
    await until(lambda: status(gateway) == ("UNLOCKED", "PADLOCK JAMMED"), board)
    board.set_jam(False)
    gateway.command("lock", {})
    await until(lambda: status(gateway) == ("LOCKED", None), board)
    await until(lambda: bool(gateway.events_of("door.held")), board)


# --- power cuts around the sixth try


async def sixth_with_a_cut(
    lab: Lab, port: int, gateway: ScriptedGateway, operations: int, firmware: Path | None = None
) -> tuple[bool, int]:
    """A sixth wrong card with a cut, and more after it: whether there was a cut, and how many were looked at."""
    board = await lab.start_board(vault_profile(port), heap_kib=HEAP_KIB, firmware=firmware)
    before = gateway.boot
    await until(lambda: gateway.boot != before, board)
    await asyncio.sleep(0.5)  # what a start writes
    board.cut_at_flash(operations, torn=operations % 2 == 1)
    looked_at = int(await show(board, gateway, WRONG))
    cut = await board.wait_cut(1.5)
    if cut:
        await power_on(board, gateway)
    looked_at += await wrong(board, gateway, 2)
    assert not await unlocks(board, gateway)
    await lab.stop_board("vault")
    return cut, looked_at


async def every_cut(
    lab: Lab, port: int, gateway: ScriptedGateway, firmware: Path | None = None
) -> list[int]:
    """How many tries each cut left, the power going at one operation of the flash after the other."""
    board = await lab.start_board(vault_profile(port), heap_kib=HEAP_KIB, firmware=firmware)
    await until(lambda: gateway.boot and gateway.events, board)
    assert await wrong(board, gateway, 5) == 5
    await asyncio.sleep(1)
    await lab.stop_board("vault")
    flash = lab.directory / "boards" / "vault" / "flash.img"
    shutil.copyfile(flash, flash.with_suffix(".kept"))
    log = gateway.log_so_far()
    tries = []
    for operations in range(_CUTS):
        shutil.copyfile(flash.with_suffix(".kept"), flash)
        gateway.put_back(log)
        cut, looked_at = await sixth_with_a_cut(lab, port, gateway, operations, firmware)
        if not cut:
            break
        tries.append(looked_at)
    return tries


async def test_a_cut_at_any_operation_of_the_flash_gives_no_free_try(
    lab: Lab, port: int, gateway: ScriptedGateway
) -> None:
    tries = await every_cut(lab, port, gateway)
    assert len(tries) >= 3 and max(tries) <= 1, tries


async def test_a_mutant_that_counts_in_ram_is_caught(
    lab: Lab, port: int, gateway: ScriptedGateway, tmp_path: Path
) -> None:
    firmware = planted(
        tmp_path,
        "doorward_node/lockout.py",
        'files.replace(self.path, data + b" %08x" % binascii.crc32(data))',
        "pass",
    )
    board = await start(lab, port, gateway, firmware)
    assert await wrong(board, gateway, 5) == 5
    await board.kill()
    await power_on(board, gateway)
    assert await wrong(board, gateway, 2) == 2
