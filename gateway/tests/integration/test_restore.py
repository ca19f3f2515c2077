"""The machine dies and comes back from a backup: real firmware goes on, and what is missing is told.

The witness is the relay.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from ports import free_port_base
from site_support import BROKERS, is_current, profiles, running, settings_for
from watching import openings, opens, until

from doorward.domain.audit import AuditRow
from doorward.runtime.backup import create, restore
from doorward.runtime.demo import site as demosite
from doorward.runtime.demo.gateway import VirtualSite
from doorward_lab import Board, Lab

pytestmark = pytest.mark.parametrize("broker", BROKERS, indirect=True)

PATIENCE_S = 20.0
PASSPHRASE = "four plain words here"
MEMBER = demosite.CARDS["member"].uid
STRANGER = demosite.CARDS["stranger"].uid
LATER = bytes.fromhex("045e1122334480")


def quiet(_what: str, _done: int, _total: int) -> None:
    pass


class House:
    """A virtual site that is found at the same address again, and its one board, which outlives it."""

    board: Board

    def __init__(self, directory: Path, broker: str) -> None:
        self.directory = directory
        self._broker = broker
        self._ports = free_port_base()
        self._stack = AsyncExitStack()

    async def open(self) -> None:
        settings = settings_for(self.directory, self._broker, port_base=self._ports)
        self.site = await self._stack.enter_async_context(running(VirtualSite(settings)))

    async def close(self) -> None:
        await self._stack.aclose()

    @property
    def version(self) -> int:
        version = self.site.cases.states.get("front").policy_version
        assert version is not None
        return version

    @property
    def is_current(self) -> bool:
        return is_current(self.site)

    async def until(self, condition: Callable[[], object]) -> None:
        await until(condition, self.board)

    async def rows(self, kind: str) -> list[AuditRow]:
        """Of the audit, oldest first."""
        found = await self.site.store.recent(500, None, None)
        return [row for row in reversed(found) if row.kind == kind]

    async def told(self, kind: str, count: int) -> list[AuditRow]:
        """Wait for so many rows; there are no more."""
        async with asyncio.timeout(PATIENCE_S):
            while len(await self.rows(kind)) < count:  # noqa: ASYNC110 - ditto
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        found = await self.rows(kind)
        assert len(found) == count
        return found

    async def opens(self, uid: bytes) -> bool:
        return await opens(self.board, uid)

    async def quiet(self) -> None:
        """Wait until the board has no more to say: every entry of its log is on record."""
        seq = -1
        async with asyncio.timeout(PATIENCE_S):
            while (head := self.site.cases.events.head("front")) is None or head.seq != seq:
                seq = head.seq if head else -1
                await asyncio.sleep(1.0)


@pytest.fixture
async def house(tmp_path: Path, broker: str, lab: Lab) -> AsyncIterator[House]:
    house = House(tmp_path / "site", broker)
    await house.open()
    house.board = await lab.start_board(profiles(house.site)[0])
    await house.until(lambda: house.is_current)
    yield house
    await house.close()


async def backup(house: House, file: Path, *, with_keys: bool = True) -> None:
    await asyncio.to_thread(
        create, house.directory, file, PASSPHRASE, with_keys=with_keys, progress=quiet
    )


async def wipe_and_restore(house: House, file: Path) -> None:
    await house.close()
    shutil.rmtree(house.directory)
    await asyncio.to_thread(
        restore, file, PASSPHRASE, house.directory, replace=False, progress=quiet
    )
    await house.open()


async def test_boards_go_on_after_wipe_and_restore(house: House, tmp_path: Path) -> None:
    file = tmp_path / "site.backup"
    assert await house.opens(MEMBER)
    opened, _ = await asyncio.gather(house.opens(MEMBER), backup(house, file))
    assert opened, "a tap while it is made"

    # What only the machine that dies will have known.
    await house.site.cases.people.add("Noor Haddad", ("Members",), actor="test")
    await house.site.cases.people.add_card(LATER, "Noor Haddad", actor="test")
    await house.until(lambda: house.is_current)
    assert await house.opens(LATER)
    assert not await house.opens(STRANGER)
    await house.quiet()
    version = house.version

    await wipe_and_restore(house, file)
    await house.until(lambda: house.is_current)
    assert house.version > version, "the counter did not go back"
    [row] = await house.told("audit.restored", 1)
    assert "backup of 20" in (row.why or "")
    [gap] = await house.told("log.gap", 1)
    assert (gap.device, (gap.note or "")[:8]) == ("front", "entries ")
    before = len(await house.rows("access.decision"))
    assert await house.opens(MEMBER)
    assert not await house.opens(LATER), "who was added after the backup is unknown again"
    # The gateway's own rows and what the board's log says of these taps are one.
    after = await house.told("access.decision", before + 2)
    assert [row.granted for row in after[-2:]] == [True, False]
    await house.quiet()
    head = house.site.cases.events.head("front")
    entries = await house.site.store.entry("front", head.epoch, head.seq) if head else None
    assert entries is not None
    assert entries.body, "new entries of its log are stored"
    assert openings(house.board) == 4
    for alarm in ("tamper", "correction"):
        assert await house.rows(alarm) == [], alarm
    # Of the restored broker, which still had an older config retained.
    assert len(await house.rows("rejected")) <= 1

    await house.close()
    await house.open()
    await house.until(lambda: house.is_current)
    assert await house.opens(MEMBER), "and after one more restart"
    assert len(await house.rows("audit.restored")) == 1
    assert len(await house.rows("log.gap")) == 1


async def test_without_a_mark_it_is_tampering_and_the_log_goes_on(
    house: House, tmp_path: Path
) -> None:
    """The same archive put in place without saying so."""
    file = tmp_path / "site.backup"
    await backup(house, file)
    assert await house.opens(MEMBER)
    await house.quiet()
    await house.close()
    shutil.rmtree(house.directory)
    await asyncio.to_thread(
        restore, file, PASSPHRASE, house.directory, replace=False, progress=quiet
    )
    (house.directory / "restored.json").unlink()
    await house.open()
    await house.until(lambda: house.site.cases.states.get("front").online)
    assert await house.opens(MEMBER), "the door opens all the same"
    [row] = await house.told("tamper", 1)
    assert "an older database was put in place" in (row.why or "")
    assert (row.note or "").startswith("entries ")
    assert await house.rows("log.gap") == []
    device = house.site.cases.fleet.find("front")
    assert device is not None
    assert device.rejected["an event after a gap"] == 0


async def test_without_its_key_a_board_is_not_believed_and_its_door_works(
    house: House, tmp_path: Path
) -> None:
    file = tmp_path / "site.backup"
    await backup(house, file, with_keys=False)
    before = (house.directory / "signer" / "front.key").read_bytes()
    await wipe_and_restore(house, file)
    # The demo adopts its own boards anew; the one on the wall still has the old key.
    assert (house.directory / "signer" / "front.key").read_bytes() != before
    await house.site.cases.cache.refresh()
    assert await house.opens(MEMBER), "by its own records"
    assert await house.rows("access.decision") == [], "what it says is not believed"
