"""A real board whose log lies in a flash partition of its own: its power goes while it writes there, its cells rot."""

import binascii
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from attack.site import CARDS, Site

from doorward.adapters.store import log_check
from doorward.domain import audit

SECTOR = 4096


def held(site: Site) -> int:
    head = site.cases.events.head("front")
    return head.seq if head else 0


async def test_no_event_is_lost_whenever_the_power_goes(tmp_path: Path, cache: Path) -> None:
    async with Site(tmp_path / "site", cache) as site:
        board = await site.lab.start_board(site.profile("front"), log_kib=16)
        site.boards["front"] = board
        await site.until(lambda: site.is_current("front"))
        for operations, torn in ((0, True), (1, False), (2, True)):
            before = len(board.starts)
            board.cut_at_flash(operations, torn=torn)
            # The door opens, and what it writes of it does not come to its end.
            board.present(CARDS["one"])
            assert await board.wait_cut(10)
            board.remove()
            await board.power_on()
            assert len(board.starts) == before + 1
            await site.until(lambda: site.is_current("front"))
            await site.tap("one")
            await site.until(lambda: held(site) == site.newest_of("front"))
        rows = await site.rows()
        assert not [row for row in rows if row.kind in (audit.TAMPER, audit.LOST, audit.LOG_GAP)]
        assert "doorward_node.ring" in await board.modules()
        assert "doorward_node.segments" not in await board.modules()


def newest_sector_rots(image: Path, _earlier: bytes) -> None:
    """As `ring.py` has it: the sector whose header has the highest turn. Its cells read 0 from now on."""
    cells = bytearray(image.read_bytes())
    turns = {}
    for at in range(0, len(cells), SECTOR):
        magic, _, turn = struct.unpack(">4sII", cells[at : at + 12])
        if magic == b"DWL1" and binascii.crc32(cells[at : at + 40]) == int.from_bytes(
            cells[at + 40 : at + 44], "big"
        ):
            turns[turn] = at
    at = turns[max(turns)]
    assert len(turns) > 1
    cells[at : at + SECTOR] = bytes(SECTOR)
    image.write_bytes(cells)


def older_copy(image: Path, earlier: bytes) -> None:
    """Somebody who had the board in their hands puts back what was on it then."""
    image.write_bytes(earlier)


@pytest.mark.parametrize("lose", [newest_sector_rots, older_copy])
async def test_a_board_whose_flash_forgot_what_it_told_goes_on_and_the_audit_says_so(
    tmp_path: Path, cache: Path, lose: Callable[[Path, bytes], None]
) -> None:
    async with Site(tmp_path / "site", cache) as site:
        board = await site.lab.start_board(site.profile("front"), log_kib=32)
        site.boards["front"] = board
        await site.until(lambda: site.is_current("front"))
        [image] = tmp_path.rglob("dwlog.img")
        await site.tap("one")
        earlier = image.read_bytes()
        for _ in range(4):
            await site.tap("one")
        await site.until(lambda: held(site) == site.newest_of("front"))
        before = held(site)
        await board.kill()
        lose(image, earlier)
        await board.power_on()
        # It decides at the door meanwhile, as ever; what it notes of that is not lost, either.
        board.present(CARDS["one"])
        await site.until(lambda: site.opened() > 5)
        board.remove()
        await site.until(lambda: held(site) > before)
        await site.until(lambda: site.is_current("front"))
        await site.walk_through()
        await site.tap("one")
        await site.until(lambda: held(site) == site.newest_of("front"))
        rows = await site.rows()
        told = [row for row in rows if row.kind in (audit.TAMPER, audit.LOST, audit.LOG_GAP)]
        assert [row.kind for row in told] == [audit.TAMPER]
        assert (told[0].why or "").startswith("The board's log ended before what it had told")
        after = [row for row in rows if row.entry and seq_of(row.entry) > before]
        assert [row.kind for row in after].count("boot") == 1
        decisions = [row for row in rows if row.kind == "access.decision"]
        assert [row.granted for row in decisions] == [True] * 7
        assert site.store._look(lambda connection: list(log_check.findings(connection))) == []
        assert "an event that differs from the stored one" not in site.rejected()


async def test_a_board_that_gets_back_a_log_that_is_over_begins_another(
    tmp_path: Path, cache: Path
) -> None:
    async with Site(tmp_path / "site", cache) as site:
        board = await site.lab.start_board(site.profile("front"), log_kib=32)
        site.boards["front"] = board
        await site.until(lambda: site.is_current("front"))
        [image] = tmp_path.rglob("dwlog.img")
        await site.tap("one")
        earlier = image.read_bytes()
        for content in (b"\xff" * len(earlier), earlier):
            before = epoch(site)
            await board.kill()
            image.write_bytes(content)
            await board.power_on()
            await site.until(lambda before=before: epoch(site) != before)
            await site.until(lambda: site.is_current("front"))
            await site.tap("one")
            await site.until(lambda: held(site) == site.newest_of("front"))
        rows = await site.rows()
        told = [row for row in rows if row.kind in (audit.TAMPER, audit.LOST, audit.LOG_GAP)]
        assert [row.kind for row in told] == [audit.TAMPER, audit.TAMPER]
        assert [row for row in told if "came back with a log that is over" in (row.why or "")]
        assert [row.kind for row in rows].count("boot") == 3
        assert [row.granted for row in rows if row.kind == "access.decision"] == [True] * 3
        assert site.store._look(lambda connection: list(log_check.findings(connection))) == []
        assert site.rejected() == {}


def epoch(site: Site) -> str:
    head = site.cases.events.head("front")
    return head.epoch if head else ""


def seq_of(entry: str) -> int:
    return int(entry.partition(".")[2].partition(":")[0])
