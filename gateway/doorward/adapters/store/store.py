"""The store ports on SQLCipher: reads on worker threads, writes through the one writer."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from doorward.adapters.store import audit, caches, devices, rules, updates
from doorward.adapters.store.accounts import SqlAccounts
from doorward.adapters.store.chain import Keeper
from doorward.adapters.store.trail import SqlTrail
from doorward.adapters.store.vault import Vault
from doorward.app.ports import Recorded
from doorward.app.records import DeviceCache, Firmware, LogEntry, LogHead
from doorward.app.signer_ports import Notary
from doorward.database import Writer, open_database, upgrade
from doorward.domain.audit import AuditRow
from doorward.domain.devices import Registration
from doorward.domain.doors import Door
from doorward.domain.holidays import Holiday
from doorward.domain.people import ANY_DAY, Dates
from doorward.domain.schedules import Windows
from doorward.domain.snapshot import Rules
from doorward.domain.updates import UpdateOrder

T = TypeVar("T")


class SqlStore:
    """Every store port of `app.ports`, on one encrypted file."""

    def __init__(self, path: Path, key: bytes, notary: Notary | None = None) -> None:
        """Open the file and bring its schema up to date. Raises the errors of `database`.

        `notary`: who remembers how far the audit went; without it, rows that are gone at its end are not missed.
        """
        self._engine = open_database(path, key)
        upgrade(self._engine, "doorward.adapters.store")
        self._keeper = None if notary is None else Keeper(notary)
        self._writer = Writer(self._engine, name="gateway-writer", watch=self._keeper)
        self.trail = SqlTrail(self._engine)
        self.accounts = SqlAccounts(self._look, self._writer, Vault(key))

    def start(self, restored: str | None = None) -> None:
        """Get ready to write; called on the event loop. `restored`: from where, if the file was just restored."""
        if self._keeper is not None:
            self._keeper.start(self._engine, restored)
        self._writer.start()

    async def answer(self) -> None:
        """Return after a commit. Raises Unavailable."""
        await self._writer.run(lambda _connection: None)

    async def close(self) -> None:
        """Finish what was handed over, then let go of the file."""
        await self._writer.close()
        self._engine.dispose()

    def _look(self, read: Callable[[Connection], T]) -> T:
        with self._engine.begin() as connection:
            return read(connection)

    async def _read(self, read: Callable[[Connection], T]) -> T:
        return await asyncio.to_thread(self._look, read)

    # --- rules ------------------------------------------------------------------------------------

    def load(self) -> Rules:
        return self._look(rules.load)

    async def add_person(
        self, name: str, levels: Sequence[str], row: AuditRow, dates: Dates = ANY_DAY
    ) -> AuditRow:
        return await self._change(
            row, lambda connection: rules.add_person(connection, name, levels, row.at_ms, dates)
        )

    async def set_dates(self, person_id: int, dates: Dates, row: AuditRow) -> AuditRow:
        return await self._change(
            row, lambda connection: rules.set_dates(connection, person_id, dates)
        )

    async def add_card(self, uid: bytes, person: str, row: AuditRow) -> AuditRow:
        return await self._change(
            row, lambda connection: rules.add_card(connection, uid, person, row.at_ms)
        )

    async def revoke_card(self, uid: bytes, row: AuditRow) -> AuditRow:
        return await self._change(
            row, lambda connection: rules.revoke_card(connection, uid, row.at_ms)
        )

    async def add_holiday(self, holiday: Holiday, row: AuditRow) -> AuditRow:
        return await self._change(row, lambda connection: rules.add_holiday(connection, holiday))

    async def remove_holiday(self, holiday_id: int, row: AuditRow) -> AuditRow:
        return await self._change(
            row, lambda connection: rules.remove_holiday(connection, holiday_id)
        )

    async def _change(self, row: AuditRow, change: Callable[[Connection], object]) -> AuditRow:
        """One change and its audit row, both or neither."""

        def work(connection: Connection) -> AuditRow:
            change(connection)
            return audit.append(connection, row) or row

        return await self._writer.run(work)

    async def put_site(
        self,
        doors: Sequence[Door],
        schedules: Sequence[tuple[str, Windows]],
        levels: Sequence[tuple[str, Sequence[str], str]],
    ) -> None:
        def work(connection: Connection) -> None:
            for door in doors:
                rules.put_door(connection, door)
            for name, windows in schedules:
                rules.put_schedule(connection, name, windows)
            for name, ids, schedule in levels:
                rules.put_level(connection, name, ids, schedule)

        await self._writer.run(work)

    # --- boards -----------------------------------------------------------------------------------

    def registrations(self) -> tuple[Registration, ...]:
        return self._look(devices.registrations)

    async def put_device(
        self, device: Registration, row: AuditRow, door: Door | None = None
    ) -> AuditRow:
        def change(connection: Connection) -> None:
            devices.put(connection, device)
            if door is not None:
                devices.keep_door(connection, door)

        return await self._change(row, change)

    # --- audit and logs ---------------------------------------------------------------------------

    def record(self, row: AuditRow, done: Recorded) -> None:
        self._writer.submit(lambda connection: _some(audit.append(connection, row)), done)

    async def append(self, row: AuditRow) -> AuditRow:
        stored = await self._writer.run(lambda connection: audit.append(connection, row))
        return stored or row

    async def recent(
        self, limit: int, before: int | None, door_id: str | None
    ) -> Sequence[AuditRow]:
        return await self._read(lambda connection: audit.recent(connection, limit, before, door_id))

    def heads(self) -> dict[str, LogHead]:
        return self._look(audit.log_heads)

    def epochs(self) -> dict[str, dict[str, LogHead]]:
        return self._look(audit.log_epochs)

    async def entry(self, device: str, epoch: str, seq: int) -> LogEntry | None:
        return await self._read(lambda connection: audit.log_entry(connection, device, epoch, seq))

    async def told_since(self, device: str, received_ms: int) -> Sequence[bytes]:
        return await self._read(
            lambda connection: audit.told_since(connection, device, received_ms)
        )

    def store_event(self, entry: LogEntry, rows: Sequence[AuditRow], done: Recorded) -> None:
        self._writer.submit(lambda connection: audit.store_event(connection, entry, rows), done)

    def store_gap(self, gap: LogEntry, rows: Sequence[AuditRow], done: Recorded) -> None:
        self._writer.submit(lambda connection: audit.store_gap(connection, gap, rows), done)

    def gaps(self) -> dict[str, int]:
        return self._look(audit.log_gaps)

    # --- caches -----------------------------------------------------------------------------------

    def caches(self) -> dict[str, DeviceCache]:
        return self._look(caches.caches)

    async def put_cache(self, cache: DeviceCache) -> None:
        await self._writer.run(lambda c: caches.put_cache(c, cache))

    # --- firmware -----------------------------------------------------------------------------------

    def firmwares(self) -> tuple[Firmware, ...]:
        return self._look(updates.firmwares)

    async def firmware(self, version: str) -> bytes:
        return await self._read(lambda connection: updates.firmware(connection, version))

    async def put_firmware(self, held: Firmware, bundle: bytes, row: AuditRow) -> AuditRow:
        return await self._change(row, lambda c: updates.put_firmware(c, held, bundle))

    def update_orders(self) -> tuple[UpdateOrder, ...]:
        return self._look(updates.orders)

    async def put_update_orders(
        self, orders: Sequence[UpdateOrder], row: AuditRow | None
    ) -> AuditRow | None:
        def work(connection: Connection) -> AuditRow | None:
            updates.put_orders(connection, orders)
            return None if row is None else audit.append(connection, row) or row

        return await self._writer.run(work)


def _some(row: AuditRow | None) -> list[AuditRow]:
    return [] if row is None else [row]
