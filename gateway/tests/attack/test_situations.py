"""What an attacker waits for: power cuts, restored and wiped databases, lost counters, boards that are away."""

import asyncio
import shutil
from pathlib import Path

import pytest

from attack.scenarios import asked_to_open, let_through, question
from attack.site import CARDS, Site
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


async def restart_board(site: Site, firmware: Path | None = None) -> None:
    """Cut the power, and flash the board; what it has written stays."""
    await site.lab.stop_board("front")
    site.lock.pop("front", None)
    site.cases.states.get("front")
    await site.board("front", firmware)


async def tampered(site: Site) -> list[str | None]:
    return [row.why for row in await site.rows() if row.kind == audit.TAMPER]


async def test_a_gateway_that_forgot_everything_since_a_while_ago(
    tmp_path: Path, mpy_cache: Path
) -> None:
    """Its counters are old, the board's are not: the rules from before do not come back into force by themselves."""
    async with Site(tmp_path / "site", mpy_cache) as site:
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
        await site.start_gateway()
        site.wire.cut("front")
        await site.until(lambda: site.is_current("front"))
        version = site.cases.states.get("front").policy_version
        assert version is not None
        assert newest is not None
        assert version > newest, "nothing under a counter that was used"
        assert any(row.kind == audit.OVERTAKEN for row in await site.rows())
        await site.tap("two")


async def test_a_board_whose_log_lost_its_place_starts_a_new_one(
    tmp_path: Path, mpy_cache: Path
) -> None:
    async with Site(tmp_path / "site", mpy_cache) as site:
        await site.board("front")
        for card in ("one", "two", "one", "two"):
            await site.tap(card)
        head = site.cases.events.head("front")
        assert head is not None
        await site.until(lambda: (site.cases.events.head("front") or head).seq > 18)
        await asyncio.sleep(1)
        lost = (
            "import os\nfor name in ('freed', 'epoch'):\n    try:\n        os.remove('/log/' + name)\n"
            "    except OSError:\n        pass\n"
        )
        await restart_board(site, with_first(tmp_path / "lost", lost))
        await restart_board(site)
        before = await tampered(site)
        await site.tap("one")
        await site.until(lambda: (site.cases.events.head("front") or head).epoch != head.epoch)
        assert before or await tampered(site)


async def test_a_log_that_lost_only_its_beginning_is_noticed_and_does_not_stand_still(
    tmp_path: Path, mpy_cache: Path
) -> None:
    async with Site(tmp_path / "site", mpy_cache) as site:
        await site.board("front")
        for card in ("one", "two", "one", "two"):
            await site.tap(card)
        await site.until(lambda: max(seq for _, _, seq in site.log) > 18)
        await asyncio.sleep(1)
        lost = 'import os\nos.remove("/log/freed")\nprint("freed is gone")\n'
        site.log.clear()
        await site.lab.stop_board("front")
        board = await site.lab.start_board(
            site.profile("front"), firmware=with_first(tmp_path / "lost", lost)
        )
        site.boards["front"] = board
        await board.wait_log("freed is gone", 10)
        await site.until(lambda: any(seq > 1 for _, _, seq in site.log))
        await asyncio.sleep(0.5)
        assert await tampered(site)


async def test_power_that_goes_between_the_records_and_the_counter(
    tmp_path: Path, mpy_cache: Path
) -> None:
    """The new records are in force and the config that names them is not yet: the next start finds both again."""
    cut = (
        "import machine, os\nfrom doorward_node import credentials, files\n"
        "class Cut:\n"
        "    def __getattr__(self, name):\n        return getattr(os, name)\n"
        "    def rename(self, old, new):\n"
        "        os.rename(old, new)\n"
        '        if new == "/cache" and not files.exists("/cut"):\n'
        '            files.replace("/cut", b"")\n'
        "            machine.reset()\n"
        "credentials.os = Cut()\n"
    )
    async with Site(tmp_path / "site", mpy_cache) as site:
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
    tmp_path: Path, mpy_cache: Path
) -> None:
    async with Site(tmp_path / "site", mpy_cache) as site:
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


@pytest.mark.parametrize("retained", [True, False])
async def test_a_former_life_of_a_board_is_played_to_a_gateway_that_has_just_started(
    retained: bool, tmp_path: Path, mpy_cache: Path
) -> None:
    """No boot is known any more, and the board is away: whatever it once said, it is not there and not unlocked."""
    async with Site(tmp_path / "site", mpy_cache) as site:
        board = await site.board("front")
        await site.tap("one")
        said = [said for said in site.wire.kept if said.up and said.device == "front"]
        await board.kill()
        await site.until(lambda: not site.cases.states.get("front").online)
        await site.stop_gateway()
        await site.start_gateway()
        for one in said:
            kept = retained and one.suffix in (topics.ONLINE, topics.REPORTED)
            site.hand_in("front", one.suffix, one.payload, retained=kept)
            view = site.cases.states.get("front")
            assert not view.online
            assert view.locked is None or one.suffix == topics.EVENTS
        await board.power_on()
        await site.until(lambda: site.is_current("front"))
        await site.tap("two")
