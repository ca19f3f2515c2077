"""The whole board: real firmware on real MicroPython, a foreign broker, relay edges as witness."""

import asyncio
from pathlib import Path

import pytest
from firmware_copy import planted
from ports import free_ports
from scripted_gateway import KEY, MEMBER, ScriptedGateway, profile
from watching import PATIENCE_S, until

from doorward_core import seal, topics
from doorward_lab import Fault
from doorward_lab.board import Board
from doorward_lab.lab import Lab

STRIKE = 25
STRANGER = bytes.fromhex("04a1b2c3")
HEAP_KIB = 136
HARD_RESET = 2  # by the firmware; 3 would be the watchdog


@pytest.fixture
async def board(lab: Lab, port: int, gateway: ScriptedGateway) -> Board:
    board = await lab.start_board(profile(port), heap_kib=HEAP_KIB)
    await until(lambda: bool(gateway.boot and gateway.events), board)
    return board


def pulses(board: Board) -> list[int]:
    return [edge.level for edge in board.edges if edge.pin == STRIKE and edge.level is not None]


async def test_the_relay_is_safe_from_the_first_instruction(lab: Lab, port: int) -> None:
    board = await lab.start_board(profile(port), heap_kib=HEAP_KIB)
    await board.wait_edge(STRIKE, 0, PATIENCE_S)
    assert pulses(board) == [0]


async def test_a_strike_without_a_level_is_left_alone(lab: Lab, port: int) -> None:
    wrong = profile(port)
    wrong["pins"]["strike"]["active"] = 2
    board = await lab.start_board(wrong, heap_kib=HEAP_KIB)
    await board.wait_log("active", PATIENCE_S)
    await asyncio.sleep(1)
    assert 1 not in pulses(board)


async def test_a_card_opens_the_door_and_the_log_tells(
    board: Board, gateway: ScriptedGateway
) -> None:
    board.present(MEMBER)
    await board.wait_edge(STRIKE, 1, PATIENCE_S)
    board.remove()
    await board.wait_edge(STRIKE, 0, PATIENCE_S)
    await until(lambda: len(gateway.events_of("lock.changed")) == 2, board)
    decision = gateway.events_of("access.decision")[0]
    assert decision["granted"] and decision["source"] == "gateway"
    assert decision["request"] == gateway.requests[0][2:18]
    assert [data["locked"] for data in gateway.events_of("lock.changed")] == [False, True]
    assert pulses(board) == [0, 1, 0]


async def test_a_card_that_stays_is_one_tap(board: Board, gateway: ScriptedGateway) -> None:
    await board.tap(MEMBER, hold_ms=1500)
    await until(lambda: len(gateway.events_of("lock.changed")) == 2, board)
    assert len(gateway.requests) == 1 and pulses(board) == [0, 1, 0]


async def test_a_stranger_stays_outside(board: Board, gateway: ScriptedGateway) -> None:
    await board.tap(STRANGER, hold_ms=100)
    await until(lambda: bool(gateway.events_of("access.decision")), board)
    assert gateway.events_of("access.decision")[0]["granted"] is False
    assert pulses(board) == [0]


async def test_forged_replayed_foreign_retained_and_late_answers_move_nothing(
    board: Board, gateway: ScriptedGateway
) -> None:
    board.present(MEMBER)
    await board.wait_edge(STRIKE, 1, PATIENCE_S)
    board.remove()
    await board.wait_edge(STRIKE, 0, PATIENCE_S)
    recorded = next(payload for suffix, payload in gateway.sent if suffix == topics.ACCESS_RESPONSE)

    gateway.answers = False
    board.present(STRANGER)
    await until(lambda: len(gateway.requests) == 2, board)
    word = gateway.requests[-1]
    right = gateway.answer(word)
    tampered = bytearray(gateway.answer(word, granted=False))
    tampered[tampered.index(b"false") : tampered.index(b"false") + 5] = b"true "
    for payload in (
        recorded,
        bytes(tampered),
        gateway.answer(word, keys=seal.Keys("back", KEY)),
        gateway.answer(word, keys=seal.Keys("front", bytes(32))),
        right[:-1],
        right + b"\n",
        right.split(b"\n")[0],
        b"",
        b"x" * 3000,
    ):
        gateway.publish(topics.ACCESS_RESPONSE, payload)
    await until(lambda: len(gateway.events_of("access.decision")) == 2, board)
    gateway.publish(topics.ACCESS_RESPONSE, right)  # 2 s have passed: late, though genuine
    board.remove()
    await until(lambda: bool(gateway.events_of("rejected")), board)
    assert gateway.events_of("access.decision")[1]["granted"] is False
    assert pulses(board) == [0, 1, 0]

    # Still alive, and a new tap is not bothered by any of it.
    gateway.answers = True
    board.present(MEMBER)
    await board.wait_edge(STRIKE, 1, PATIENCE_S)


async def test_a_retained_answer_opens_nothing_after_a_restart(
    board: Board, gateway: ScriptedGateway
) -> None:
    gateway.answers = False
    board.present(STRANGER)
    await until(lambda: bool(gateway.requests), board)
    right = gateway.answer(gateway.requests[0])
    await board.kill()
    gateway.publish(topics.ACCESS_RESPONSE, right, retain=True)
    gateway.publish(topics.CONTROL, gateway.unlock("ab" * 16), retain=True)
    await board.power_on()
    await until(lambda: bool(gateway.events_of("rejected")), board)
    assert 1 not in pulses(board)


async def test_a_release_is_challenged_and_works_once(
    board: Board, gateway: ScriptedGateway
) -> None:
    gateway.command("challenge", {"for": "unlock"})
    await until(lambda: bool(gateway.acks), board)
    unlock = gateway.unlock(gateway.acks[0]["nonce"])
    gateway.publish(topics.CONTROL, unlock)
    await board.wait_edge(STRIKE, 1, PATIENCE_S)
    await board.wait_edge(STRIKE, 0, PATIENCE_S, since_ns=board.edges[-1].at_ns)
    gateway.publish(topics.CONTROL, unlock)
    await until(lambda: len(gateway.events_of("lock.changed")) == 2, board)
    assert gateway.acks[1] == {"command_id": "c1", "result": "done"}
    assert gateway.events_of("lock.changed")[0]["command_id"] == "c1"
    assert pulses(board) == [0, 1, 0]


async def test_without_an_answer_the_board_uses_its_cache(
    board: Board, gateway: ScriptedGateway
) -> None:
    gateway.offer_cache(7, [MEMBER])
    await until(
        lambda: any(b'"cache_version":7' in p for s, p in gateway.heard if s == topics.REPORTED),
        board,
    )
    gateway.answers = False
    board.present(MEMBER)
    await board.wait_edge(STRIKE, 1, PATIENCE_S)
    await until(lambda: bool(gateway.events_of("access.decision")), board)
    assert gateway.events_of("access.decision")[0]["source"] == "board"


async def test_a_restart_never_resumes_an_unlock(board: Board, gateway: ScriptedGateway) -> None:
    gateway.seconds = 9
    board.present(MEMBER)
    await board.wait_edge(STRIKE, 1, PATIENCE_S)
    board.remove()
    await board.kill()
    before = len(board.edges)
    await board.power_on()
    await until(lambda: len(gateway.events_of("boot")) == 2, board)
    assert [edge.level for edge in board.edges[before:] if edge.pin == STRIKE] == [0]


async def test_door_events(board: Board, gateway: ScriptedGateway) -> None:
    board.set_contact(True)
    await until(lambda: bool(gateway.events_of("door.forced")), board)
    board.set_contact(False)
    await until(lambda: bool(gateway.events_of("door.closed")), board)
    board.present(MEMBER)
    await board.wait_edge(STRIKE, 1, PATIENCE_S)
    board.remove()
    board.set_contact(True)
    await until(lambda: bool(gateway.events_of("door.open")), board)
    await until(lambda: bool(gateway.events_of("door.held")), board)
    assert pulses(board) == [0, 1, 0]


async def test_a_reader_that_freezes_comes_back(board: Board, gateway: ScriptedGateway) -> None:
    # It reads, so its start is over: that would undo the fault, and nobody would notice it.
    board.present(STRANGER)
    await until(lambda: bool(gateway.events_of("access.decision")), board)
    board.remove()
    board.set_reader(Fault.FROZEN)
    await until(lambda: bool(gateway.events_of("reader.reset")), board)
    board.present(MEMBER)
    await board.wait_edge(STRIKE, 1, PATIENCE_S)


async def test_with_no_broker_at_all_the_board_decides(
    lab: Lab, port: int, board: Board, gateway: ScriptedGateway
) -> None:
    gateway.offer_cache(7, [MEMBER])
    await until(
        lambda: any(b'"cache_version":7' in p for s, p in gateway.heard if s == topics.REPORTED),
        board,
    )
    await lab.stop_board("front")
    alone = await lab.start_board(profile(free_ports(1)), heap_kib=HEAP_KIB)
    await alone.wait_edge(STRIKE, 0, PATIENCE_S)
    await asyncio.sleep(0.5)
    alone.present(MEMBER)
    await alone.wait_edge(STRIKE, 1, PATIENCE_S)


async def test_a_black_holed_broker_does_not_keep_anybody_waiting(
    lab: Lab, board: Board, gateway: ScriptedGateway
) -> None:
    gateway.offer_cache(7, [MEMBER])
    await until(
        lambda: any(b'"cache_version":7' in p for s, p in gateway.heard if s == topics.REPORTED),
        board,
    )
    await lab.stop_board("front")
    connected = asyncio.Event()

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        while await reader.read(1000):
            pass
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    alone = await lab.start_board(profile(server.sockets[0].getsockname()[1]), heap_kib=HEAP_KIB)
    await asyncio.wait_for(connected.wait(), 5)
    for _ in range(2):
        alone.present(MEMBER)
        await alone.wait_edge(STRIKE, 1, 5)
        alone.remove()
        await alone.wait_edge(STRIKE, 0, 5, since_ns=alone.edges[-1].at_ns)
    await alone.kill()
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.1)


STALL_MS = 1000  # of one erase; 45 on a chip, which no test could tell from a busy machine


async def test_flash_is_written_after_the_relay_has_moved(
    board: Board, gateway: ScriptedGateway
) -> None:
    before = (await board.heap()).flash_erases
    board.stall_flash(STALL_MS)
    since = board.present(MEMBER)
    opened = await board.wait_edge(STRIKE, 1, PATIENCE_S)
    board.remove()
    assert opened.at_ns - since < STALL_MS * 1_000_000
    # The log of it is written, and takes its time.
    await until(lambda: len(gateway.events_of("lock.changed")) == 2, board)
    assert (await board.heap(15)).flash_erases > before
    assert len(board.starts) == 1


# --- firmware with a fault planted in it

# The first line of the door loop's step, and what to do a second after the strike was energised.
STEP = "        if self.contact and self.contact.sample():\n"
LATER = "        if self.strike.energised_ms() > 1000:\n            "


async def open_and_wait(board: Board, gateway: ScriptedGateway) -> None:
    await until(lambda: bool(gateway.boot), board)
    gateway.seconds = 9
    board.present(MEMBER)
    await board.wait_edge(STRIKE, 1, PATIENCE_S)
    board.remove()


async def test_an_exception_in_any_task_makes_the_relay_safe_and_is_told(
    lab: Lab, port: int, gateway: ScriptedGateway, tmp_path: Path
) -> None:
    fail = LATER + "raise ValueError('planted')\n"
    firmware = planted(tmp_path, "doorward_node/doorway.py", STEP, fail + STEP)
    board = await lab.start_board(profile(port), heap_kib=HEAP_KIB, firmware=firmware)
    await open_and_wait(board, gateway)
    opened = board.edges[-1].at_ns
    closed = await board.wait_edge(STRIKE, 0, PATIENCE_S, since_ns=opened)
    assert closed.at_ns - opened < 3_000_000_000
    await until(lambda: len(gateway.events_of("boot")) == 2, board)
    assert gateway.events_of("boot")[1]["failure"] == "ValueError: planted"


async def test_a_board_without_any_heap_left_starts_again_by_itself(
    lab: Lab, port: int, gateway: ScriptedGateway, tmp_path: Path
) -> None:
    hoard = LATER + "while True: self.hoard = getattr(self, 'hoard', 0), bytes(200)\n"
    firmware = planted(tmp_path, "doorward_node/doorway.py", STEP, hoard + STEP)
    board = await lab.start_board(profile(port), heap_kib=HEAP_KIB, firmware=firmware)
    await open_and_wait(board, gateway)
    await board.wait_edge(STRIKE, 0, PATIENCE_S, since_ns=board.edges[-1].at_ns)
    await until(lambda: len(gateway.events_of("boot")) == 2, board)
    assert gateway.events_of("boot")[1]["cause"] == HARD_RESET


async def test_a_hang_does_not_keep_the_relay_on_beyond_its_cap(
    lab: Lab, port: int, gateway: ScriptedGateway, tmp_path: Path
) -> None:
    hang = LATER + "while True: pass\n"
    firmware = planted(tmp_path, "doorward_node/doorway.py", STEP, hang + STEP)
    installed = profile(port) | {"door": {"strike_s": 1, "cap_s": 4, "held_s": 2}}
    board = await lab.start_board(installed, heap_kib=HEAP_KIB, firmware=firmware)
    await open_and_wait(board, gateway)
    opened = board.edges[-1].at_ns
    released = await board.wait_edge(STRIKE, None, 8, since_ns=opened)
    assert released.at_ns - opened < 4_500_000_000
    await until(lambda: len(gateway.events_of("boot")) == 2, board)


async def test_a_door_loop_that_forgets_to_relock_is_overruled(
    lab: Lab, port: int, gateway: ScriptedGateway, tmp_path: Path
) -> None:
    firmware = planted(tmp_path, "doorward_node/doorway.py", "self.strike.de_energise()", "pass")
    installed = profile(port) | {"door": {"strike_s": 1, "cap_s": 3, "held_s": 2}}
    board = await lab.start_board(installed, heap_kib=HEAP_KIB, firmware=firmware)
    await open_and_wait(board, gateway)
    opened = board.edges[-1].at_ns
    closed = await board.wait_edge(STRIKE, 0, PATIENCE_S, since_ns=opened)
    assert closed.at_ns - opened <= 3_000_000_000


async def test_a_mutant_that_does_not_check_nonces_is_caught(
    lab: Lab, port: int, gateway: ScriptedGateway, tmp_path: Path
) -> None:
    # The witness of the replay tests has to be able to see a replay that works.
    firmware = planted(
        tmp_path, "doorward_node/taps.py", "if not self._nonce.take(nonce, now):", "if False:"
    )
    board = await lab.start_board(profile(port), heap_kib=HEAP_KIB, firmware=firmware)
    await open_and_wait(board, gateway)
    recorded = next(payload for suffix, payload in gateway.sent if suffix == topics.ACCESS_RESPONSE)
    gateway.command("lock", {})
    await board.wait_edge(STRIKE, 0, PATIENCE_S, since_ns=board.edges[-1].at_ns)
    gateway.publish(topics.ACCESS_RESPONSE, recorded)
    await board.wait_edge(STRIKE, 1, PATIENCE_S, since_ns=board.edges[-1].at_ns + 1)
    assert pulses(board) == [0, 1, 0, 1]
