"""What an attacker waits for: power cuts, restored and wiped databases, lost counters, boards that are away."""

import asyncio
import shutil
import time
from pathlib import Path

import pytest

from attack.site import CARDS, Site
from attack.steps import asked_to_open, let_through, question
from doorward.domain import audit
from doorward_core import topics
from doorward_lab import places

_BOARDS_OWN_S = 2.2  # after that a board has given up on an answer


def with_first(folder: Path, lines: str) -> Path:
    """The door firmware, with something that happens before it starts."""
    shutil.copytree(places.firmware(), folder)
    main = folder / "main.py"
    main.write_text(lines + main.read_text())
    return folder


def held(site: Site) -> int:
    head = site.cases.events.head("front")
    return head.seq if head else 0


async def tampered(site: Site) -> list[str | None]:
    return [row.why for row in await site.rows() if row.kind == audit.TAMPER]


async def test_a_gateway_that_forgot_everything_since_a_while_ago(
    tmp_path: Path, cache: Path
) -> None:
    """Its counters are old, the board's are not: the rules from before do not come back into force by themselves."""
    async with Site(tmp_path / "site", cache) as site:
        await site.board("front")
        await site.tap("one")
        await site.stop_gateway()
        shutil.copy(site.database, tmp_path / "copy")
        await site.start_gateway()
        await site.cases.people.revoke_card(CARDS["one"], actor="test")
        site.wire.cut("front")
        await site.until(lambda: site.is_current("front"))
        newest = site.cases.states.get("front").policy_version
        await site.stop_gateway()
        for leftover in tmp_path.glob("site/gateway.db*"):
            leftover.unlink()
        shutil.copy(tmp_path / "copy", site.database)
        await site.start_gateway(restored_ms=time.time_ns() // 1_000_000)
        site.wire.cut("front")
        await site.until(lambda: site.is_current("front"))
        version = site.cases.states.get("front").policy_version
        assert version is not None
        assert newest is not None
        assert version > newest, "nothing under a counter that was used"
        assert any(row.kind == audit.OVERTAKEN for row in await site.rows())
        await site.tap("two")
        await site.until(lambda: held(site) == max(seq for _, _, seq in site.log))
        assert not await tampered(site), "it is known that it was restored"


@pytest.mark.parametrize("lost", ["epoch", "freed"])
async def test_a_log_that_lost_its_counter_is_begun_anew_and_that_is_noticed(
    lost: str, tmp_path: Path, cache: Path
) -> None:
    """Its name, or where it starts: with a wrong one the gateway could never again take an event of it."""
    async with Site(tmp_path / "site", cache) as site:
        await site.board("front")
        for card in ("one", "two", "one", "two"):
            await site.tap(card)
        # A whole segment is stored and freed, and there is a note of where the log now starts.
        await site.until(lambda: held(site) == max(seq for _, _, seq in site.log) > 18)
        await asyncio.sleep(1)
        head = site.cases.events.head("front")
        assert head is not None
        await site.lab.stop_board("front")
        first = f"import os\nos.remove('/log/{lost}')\nprint('gone')\n"
        board = await site.lab.start_board(
            site.profile("front"), firmware=with_first(tmp_path / "lost", first)
        )
        site.boards["front"] = board
        await board.wait_log("gone", 10)
        await site.until(lambda: (site.cases.events.head("front") or head).epoch != head.epoch)
        assert await tampered(site) == ["the board started a new log"]
        await site.tap("one")
        await site.until(lambda: held(site) == site.newest_of("front"))


async def test_power_that_goes_between_the_records_and_the_counter(
    tmp_path: Path, cache: Path
) -> None:
    """The new records are in force and the config that names them is not yet: the next start finds both again."""
    cut = (
        "import machine, os, sys\nsys.path.insert(0, '/a')\nfrom doorward_node import files, renewal\n"
        "class Cut:\n"
        "    def __getattr__(self, name):\n        return getattr(os, name)\n"
        "    def rename(self, old, new):\n"
        "        os.rename(old, new)\n"
        '        if new == "/cache" and not files.exists("/cut"):\n'
        '            files.replace("/cut", b"")\n'
        "            machine.reset()\n"
        "renewal.os = Cut()\n"
    )
    async with Site(tmp_path / "site", cache) as site:
        site.wire.passes = lambda said: said.suffix != topics.CONFIG
        board = await site.lab.start_board(
            site.profile("front"), firmware=with_first(tmp_path / "cut", cut)
        )
        site.boards["front"] = board
        await site.until(lambda: site.cases.states.get("front").online)
        let_through(site)
        await site.cases.people.revoke_card(CARDS["two"], actor="test")
        await site.until(lambda: len(board.starts) == 2)
        await site.until(lambda: site.is_current("front"))
        # The attacker keeps back every answer: the door goes by what it has.
        await question(site, "two")
        await asyncio.sleep(_BOARDS_OWN_S)
        assert site.opened() == 0, "a card that the new records revoke"
        board.remove()
        await asyncio.sleep(0.2)
        await site.tap("one")
        assert len(board.starts) == 2


async def test_two_boards_at_once_and_the_question_of_one_answered_at_the_other(
    tmp_path: Path, cache: Path
) -> None:
    async with Site(tmp_path / "site", cache) as site:
        await site.board("front")
        await site.board("back")
        await question(site, "one", "front")
        await question(site, "back", "back")
        mine, other = site.wire.withheld
        site.wire.deliver(mine._replace(device="back"))
        site.wire.deliver(other._replace(device="front"))
        await asyncio.gather(site.wire.drained("front"), site.wire.drained("back"))
        await asyncio.sleep(0.15)
        assert (site.opened("front"), site.opened("back")) == (0, 0)
        site.wire.deliver(mine)
        site.wire.deliver(other)
        await site.until(lambda: (site.opened("front"), site.opened("back")) == (1, 1))
        let_through(site)
        await asyncio.gather(site.walk_through("front"), site.walk_through("back"))
        command = await asked_to_open(site)
        site.wire.deliver(command._replace(device="back"))
        await site.wire.drained("back")
        await asyncio.sleep(0.15)
        assert (site.opened("front"), site.opened("back")) == (1, 1)
        site.wire.deliver(command)
        await site.until(lambda: site.opened("front") == 2)
