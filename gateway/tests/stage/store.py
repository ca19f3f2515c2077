"""The store ports in memory. Commits happen at once, or when the test says so, or not at all."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from doorward.app.ports import Recorded
from doorward.app.records import DeviceCache, Firmware, LogEntry, LogHead
from doorward.domain.audit import AuditRow, correction
from doorward.domain.credentials import Credential
from doorward.domain.devices import APPROVED, Registration
from doorward.domain.doors import Door
from doorward.domain.holidays import Holiday
from doorward.domain.people import ANY_DAY, Dates, Person
from doorward.domain.snapshot import Rules
from doorward.domain.updates import UpdateOrder


class MemoryStore:
    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.rows: list[AuditRow] = []
        self.entries: list[LogEntry] = []
        self.boards = {
            door.device: Registration(door.device, "door-esp32", APPROVED, 0)
            for door in rules.doors
        }
        self.kept_caches: dict[str, DeviceCache] = {}
        self.bundles: dict[str, tuple[Firmware, bytes]] = {}
        self.orders: dict[str, UpdateOrder] = {}
        self.error: Exception | None = None
        self.held = False
        self._waiting: list[Callable[[], None]] = []

    # --- committing ---

    def commit(self) -> None:
        """Commit what was held back."""
        waiting, self._waiting = self._waiting, []
        for unit in waiting:
            unit()

    def _write(self, work: Callable[[], list[AuditRow]], done: Recorded) -> None:
        def unit() -> None:
            if self.error is not None:
                done(None, self.error)
            else:
                done(work(), None)

        if self.held:
            self._waiting.append(unit)
        else:
            unit()

    def _add(self, row: AuditRow) -> AuditRow:
        row = replace(row, id=len(self.rows) + 1)
        self.rows.append(row)
        return row

    def _append(self, row: AuditRow) -> list[AuditRow]:
        key = (row.device, row.request, row.kind)
        known = [
            one for one in self.rows if row.request and (one.device, one.request, one.kind) == key
        ]
        if not known:
            return [self._add(row)]
        second = correction(known[0], row)
        return self._append(second) if second else []

    # --- ports ---

    def load(self) -> Rules:
        return self.rules

    async def add_person(
        self, name: str, levels: Sequence[str], row: AuditRow, dates: Dates = ANY_DAY
    ) -> AuditRow:
        ids = frozenset(level.id for level in self.rules.levels if level.name in levels)
        person = Person(len(self.rules.people) + 1, name, True, *dates, levels=ids)
        self.rules = replace(self.rules, people=(*self.rules.people, person))
        return self._add(row)

    async def set_dates(self, person_id: int, dates: Dates, row: AuditRow) -> AuditRow:
        first, last = dates
        people = (
            replace(one, valid_from=first, valid_until=last) if one.id == person_id else one
            for one in self.rules.people
        )
        self.rules = replace(self.rules, people=tuple(people))
        return self._add(row)

    async def add_card(self, uid: bytes, person: str, row: AuditRow) -> AuditRow:
        owner = next(one.id for one in self.rules.people if one.name == person)
        card = Credential(len(self.rules.credentials) + 1, uid, owner)
        self.rules = replace(self.rules, credentials=(*self.rules.credentials, card))
        return self._add(row)

    async def revoke_card(self, uid: bytes, row: AuditRow) -> AuditRow:
        cards = (replace(c, revoked=c.revoked or c.uid == uid) for c in self.rules.credentials)
        self.rules = replace(self.rules, credentials=tuple(cards))
        return self._add(row)

    async def add_holiday(self, holiday: Holiday, row: AuditRow) -> AuditRow:
        kept = replace(holiday, id=len(self.rules.holidays) + 1)
        self.rules = replace(self.rules, holidays=(*self.rules.holidays, kept))
        return self._add(row)

    async def remove_holiday(self, holiday_id: int, row: AuditRow) -> AuditRow:
        left = tuple(one for one in self.rules.holidays if one.id != holiday_id)
        self.rules = replace(self.rules, holidays=left)
        return self._add(row)

    def registrations(self) -> tuple[Registration, ...]:
        return tuple(self.boards.values())

    async def put_device(
        self, device: Registration, row: AuditRow, door: Door | None = None
    ) -> AuditRow:
        if self.error is not None:
            raise self.error
        self.boards[device.id] = device
        if door is not None:
            others = tuple(one for one in self.rules.doors if one.id != door.id)
            self.rules = replace(self.rules, doors=(*others, door))
        return self._add(row)

    async def put_site(self, *_: object) -> None:
        raise NotImplementedError

    def record(self, row: AuditRow, done: Recorded) -> None:
        self._write(lambda: self._append(row), done)

    async def append(self, row: AuditRow) -> AuditRow:
        if self.error is not None:
            raise self.error
        return self._append(row)[0]

    async def recent(
        self, limit: int, before: int | None, door_id: str | None
    ) -> Sequence[AuditRow]:
        wanted = (row for row in reversed(self.rows) if door_id in (None, row.door_id))
        return [row for row in wanted if before is None or row.id < before][:limit]

    def heads(self) -> dict[str, LogHead]:
        return {one.device: LogHead(one.epoch, one.seq, one.digest) for one in self.entries}

    def epochs(self) -> dict[str, dict[str, LogHead]]:
        found: dict[str, dict[str, LogHead]] = {}
        for one in self.entries:
            found.setdefault(one.device, {})[one.epoch] = LogHead(one.epoch, one.seq, one.digest)
        return found

    async def entry(self, device: str, epoch: str, seq: int) -> LogEntry | None:
        place = (device, epoch, seq)
        return next((e for e in self.entries if (e.device, e.epoch, e.seq) == place), None)

    async def told_since(self, device: str, received_ms: int) -> Sequence[bytes]:
        ours = (e for e in self.entries if e.device == device)
        return [e.body for e in ours if e.received_ms >= received_ms]

    def store_event(self, entry: LogEntry, rows: Sequence[AuditRow], done: Recorded) -> None:
        def work() -> list[AuditRow]:
            self.entries.append(entry)
            return [stored for row in rows for stored in self._append(row)]

        self._write(work, done)

    def store_gap(self, gap: LogEntry, rows: Sequence[AuditRow], done: Recorded) -> None:
        self.store_event(gap, rows, done)

    def gaps(self) -> dict[str, int]:
        return {one.device: one.received_ms for one in self.entries if not one.body}

    def caches(self) -> dict[str, DeviceCache]:
        return dict(self.kept_caches)

    async def put_cache(self, cache: DeviceCache) -> None:
        self.kept_caches[cache.device] = cache

    def firmwares(self) -> tuple[Firmware, ...]:
        return tuple(held for held, _ in self.bundles.values())

    async def firmware(self, version: str) -> bytes:
        return self.bundles[version][1]

    async def put_firmware(self, held: Firmware, bundle: bytes, row: AuditRow) -> AuditRow:
        self.bundles[held.version] = held, bundle
        return self._add(row)

    def update_orders(self) -> tuple[UpdateOrder, ...]:
        return tuple(self.orders.values())

    async def put_update_orders(
        self, orders: Sequence[UpdateOrder], row: AuditRow | None
    ) -> AuditRow | None:
        if self.error is not None:
            raise self.error
        self.orders.update({order.device: order for order in orders})
        return None if row is None else self._add(row)
