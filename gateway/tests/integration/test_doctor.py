"""`doorward doctor NAME` from end to end: faults of real boards, on a real virtual board, and what to do about each."""

import asyncio

import pytest
from site_support import is_current, profiles
from stage import WIRINGS
from watching import openings, until

from doorward.app.devices import selftests
from doorward.app.views.boards import SelfTest
from doorward.domain.diagnosis import RULES, Readings, diagnose
from doorward.domain.doors import Door
from doorward.runtime.demo import site as demosite
from doorward.runtime.demo.gateway import VirtualSite
from doorward_lab import Board, Lab

HOLD_S = 1.0
WATCH_MS = 4_000
# What hangs on which pin, and where that is: boards/door-esp32.toml on an ESP32-DevKitC.
READ = {
    "mosi-miso-swapped": ("reader.swapped", "MISO (GPIO 19, pin 8 from the top on the right)"),
    "sda-rst-swapped": ("reader.swapped", "SDA (GPIO 21, pin 6 from the top on the right)"),
    "sda-elsewhere": ("reader.select", "GPIO 5 (pin 10 from the top on the right)"),
    "reader-unplugged": ("reader.silent", "check its 3.3V and GND first"),
    "supply-dips": ("reader.supply", "100 µF"),
    "rex-shorted": ("rex.pressed", "GPIO 33"),
    "tamper-open": ("tamper.open", "GPIO 27"),
    "flash-full": ("flash.full", "delete what is not doorward's"),
}
MOVED = {
    "relay-inverted": ("relay.inverted", "GPIO 25"),
    "relay-dead": ("relay.dead", "GPIO 25"),
    "no-lock-supply": ("lock.supply", "own supply"),
    "contact-off": ("contact.off", "GPIO 32"),
    "contact-inverted": ("contact.inverted", "GPIO 32"),
}


@pytest.fixture
async def board(site: VirtualSite, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Board:
    monkeypatch.setattr(selftests, "HOLD_S", HOLD_S)
    monkeypatch.setattr(selftests, "WATCH_MS", WATCH_MS)
    board = await lab.start_board(profiles(site)[0])
    await until(lambda: is_current(site), board)
    return board


@pytest.fixture(autouse=True)
def quick_strike(monkeypatch: pytest.MonkeyPatch) -> None:
    def door(board: demosite.DemoBoard) -> Door:
        return Door(id=board.id, name=board.name, device=board.id, strike_ms=1000)

    monkeypatch.setattr(demosite.DemoBoard, "door", property(door))


async def looked(
    site: VirtualSite, board: Board, *, move: bool = False, by_handle: bool = False
) -> SelfTest:
    """A whole self-test; somebody pulls at the door as soon as they are told to."""
    cases = site.cases.selftests
    await cases.start("front", "sam", move=move)

    def state() -> str:
        found = cases.get("front")
        assert found is not None
        return found.state

    if move:
        await until(lambda: state() == "watching", board)
        await asyncio.sleep(HOLD_S / 2)
        clicks = board.clicks
        board.pull(is_pulled=True)
        if by_handle:
            board.set_contact(True)
    await until(lambda: state() in ("done", "failed"), board)
    found = cases.get("front")
    assert found is not None
    assert found.state == "done", (found.note, " ; ".join(board.log))
    if found.unsure:
        found = cases.heard("front", click=board.clicks > clicks)
    if move:
        board.pull(is_pulled=False)
    return found


def without(code: str, readings: Readings) -> list[str]:
    """What is found when one row of the table is missing."""
    rules = [rule for rule in RULES if rule.code != code]
    return [one.code for one in diagnose(readings, WIRINGS.wiring("door-esp32"), rules)]


async def test_what_is_wrong_with_a_board_is_named_with_the_wire_and_its_pin(
    site: VirtualSite, board: Board
) -> None:
    assert (await looked(site, board)).findings == ()
    for fault, (code, words) in READ.items():
        board.set_fault(fault)
        test = await looked(site, board)
        board.set_fault(fault, on=False)
        assert [one.code for one in test.findings] == [code], (fault, test.readings.get("lock"))
        assert words in test.findings[0].sentence
        assert code not in without(code, test.readings), f"{fault} is found by another row"
    assert openings(board) == 0
    await asyncio.sleep(1.5)
    assert (await looked(site, board)).findings == ()
    rows = [
        row for row in await site.store.recent(500, None, None) if row.kind == "selftest.requested"
    ]
    assert len(rows) == len(READ) + 2
    assert {row.actor for row in rows} == {"sam"}


async def test_what_is_wrong_with_a_lock_is_seen_while_somebody_releases_it(
    site: VirtualSite, board: Board
) -> None:
    assert (await looked(site, board, move=True)).findings == ()
    assert openings(board) == 1
    for fault, (code, words) in MOVED.items():
        board.set_fault(fault)
        by_handle = fault == "contact-inverted"
        test = await looked(site, board, move=True, by_handle=by_handle)
        board.set_fault(fault, on=False)
        assert [one.code for one in test.findings] == [code], (fault, test.readings.get("lock"))
        assert words in test.findings[0].sentence
        assert code not in without(code, test.readings)
        await until(lambda: site.cases.states.get("front").contact == "closed", board)
    assert (await looked(site, board, move=True)).findings == ()
    kinds = [row.kind for row in await site.store.recent(500, None, None)]
    assert kinds.count("release.requested") == kinds.count("selftest.requested") == len(MOVED) + 2
