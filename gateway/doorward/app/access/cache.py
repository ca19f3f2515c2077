"""What each board holds for the time when nobody answers: told by `config`, fetched piece by piece."""

import asyncio
import hashlib
import json
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from doorward.app.access.announcer import Announcer
from doorward.app.access.doors import DoorStates
from doorward.app.access.rulebook import Rulebook
from doorward.app.messages.fleet import Device, Fleet
from doorward.app.ports import AuditStore, CacheStore, Clock, Spawn
from doorward.app.records import DeviceCache
from doorward.app.signer_ports import CacheFile, Signer
from doorward.domain import audit
from doorward.domain.audit import AuditRow
from doorward.domain.doors import Door
from doorward.domain.holidays import Days, day_of
from doorward.domain.instants import instant, milliseconds
from doorward.domain.snapshot import CacheContent, Snapshot
from doorward.errors import Rejected, SigningUnavailable
from doorward_core import gateway_cache, gateway_seal, records_build, records_delta, topics
from doorward_core.gateway_messages import CommandAck, Hello

_log = structlog.get_logger(__name__)

# After soft expiry a board admits only who may always pass; after hard expiry nobody.
_SOFT = timedelta(days=7)
_HARD = timedelta(days=30)
_REISSUE = timedelta(days=1)


class Store(CacheStore, AuditStore, Protocol):
    """Where it is on record what boards hold, and what is odd about it."""


class CacheKeeper:
    """One sealed file a board, with a version that only rises; made anew when what it says changes, or with age.

    restored_ms: when the database was last replaced by a backup's, None if it never was.
    """

    def __init__(
        self,
        rulebook: Rulebook,
        fleet: Fleet,
        signer: Signer,
        states: DoorStates,
        store: Store,
        announcer: Announcer,
        clock: Clock,
        spawn: Spawn,
    ) -> None:
        self._rulebook = rulebook
        self._fleet = fleet
        self._signer = signer
        self._states = states
        self._store = store
        self._announcer = announcer
        self._clock = clock
        self._spawn = spawn
        self._caches = store.caches()
        self._held: dict[str, int] = {}
        # What a board holds while it is away, and the way from there to what it should hold.
        self._bases: dict[str, DeviceCache] = {}
        self._deltas: dict[str, tuple[int, bytes]] = {}
        self.restored_ms: int | None = None
        self._changing = asyncio.Lock()

    async def refresh(self) -> None:
        """Bring every board's file up to date and tell the boards of new ones.

        One that cannot be made keeps no other from being made; the first failure is raised at the end.
        """
        failures = []
        async with self._changing:
            snapshot = self._rulebook.snapshot
            for door in snapshot.doors.values():
                try:
                    await self._refresh(snapshot, door)
                except Exception as failure:  # noqa: BLE001 - the doors after it are not to blame
                    _log.warning("cache.failed", device=door.device, error=str(failure))
                    failures.append(failure)
        if failures:
            raise failures[0]

    def announce(self) -> None:
        """Tell every board which file it should hold: after each connection to the broker."""
        for door in self._rulebook.snapshot.doors.values():
            self._tell(door)

    def wanted(self, device: Device, ack: CommandAck) -> None:
        """A board asks for a piece of its file, or of what has changed since the one it holds.

        Raises Rejected for a version that is not current.
        """
        cache = self._caches.get(device.id)
        if cache is None or ack.version != cache.version:
            raise Rejected("a request for a cache that is not current")
        base, delta = self._deltas.get(device.id, (0, b""))
        file = delta if ack.base and ack.base == base else cache.file
        if ack.base and file is cache.file:
            # What it has of another delta is of no use: it gets the whole, from its beginning.
            ack.base = 0
            ack.offset = 0
        if ack.offset >= len(file):
            raise Rejected("a request for a piece behind the end of a cache")
        piece = gateway_cache.cache_chunk(cache.version, ack.offset, file, ack.base)
        self._fleet.say(device.id, topics.CACHE, gateway_seal.counter_word(cache.version), piece)

    def hello(self, device: Device, said: Hello) -> None:
        """A board says what it holds. A version from our own future means that we were restored from a backup."""
        known = self._version(device.id)
        first = device.online and self._waits(device.id)
        if first or said.cache_version > max(known, self._held.get(device.id, 0)):
            self._held[device.id] = said.cache_version
            self._spawn(self._overtake(device.id, known, said.cache_version))

    async def _overtake(self, device_id: str, known: int, held: int) -> None:
        if held <= known:
            await self.refresh()
            return
        door = self._rulebook.snapshot.by_device.get(device_id)
        row = AuditRow(
            at_ms=milliseconds(self._clock.now()),
            kind=audit.OVERTAKEN,
            source=audit.GATEWAY,
            device=device_id,
            door_id=door.id if door else None,
            door_name=door.name if door else None,
            why="The board holds newer records than this gateway ever made, as after a restored backup.",
            note=f"version {held} at the board, {known} here",
        )
        self._announcer.announce([await self._store.append(row)])
        await self.refresh()

    def _waits(self, device_id: str) -> bool:
        """Whether the board has to say first which numbers were used."""
        return self._is_unsure(device_id) and device_id not in self._held

    def _is_unsure(self, device_id: str) -> bool:
        """Whether the database is a backup's, and a number above those that it knows may have been used since."""
        known = self._caches.get(device_id)
        return (known.issued_ms if known else 0) < (self.restored_ms or 0)

    def _version(self, device_id: str) -> int:
        known = self._caches.get(device_id)
        return known.version if known else 0

    async def _refresh(self, snapshot: Snapshot, door: Door) -> None:
        if self._fleet.find(door.device) is None or self._waits(door.device):
            return
        cache = await asyncio.to_thread(self._make, snapshot, door, self._clock.now())
        if cache is None:
            return
        await self._compare(door.device, cache)
        # On record before it is told: a counter that was used once is never used for another file.
        await self._store.put_cache(cache)
        self._caches[door.device] = cache
        _log.info("cache.made", device=door.device, version=cache.version, size=len(cache.file))
        self._tell(door)

    async def _compare(self, device_id: str, cache: DeviceCache) -> None:
        """Find what changes for a board. It may miss several files while it is away: the one it holds is kept."""
        self._deltas.pop(device_id, None)
        known, base = self._caches.get(device_id), self._bases.get(device_id)
        device = self._fleet.find(device_id)
        if known is not None and (
            base is None or device is None or base.version != device.cache_version
        ):
            self._bases[device_id] = base = known
        if base is None:
            return
        delta = await asyncio.to_thread(records_delta.build, base.file, cache.file)
        if delta is not None:
            self._deltas[device_id] = base.version, delta

    def _make(self, snapshot: Snapshot, door: Door, now: datetime) -> DeviceCache | None:
        """The next file for a board, None if the one it was told of is good. On another thread: people are many."""
        content = snapshot.cache_content(door.id)
        # In the night to the first day the windows of the day before may hold; in the last hours it may be a day more.
        today = day_of(now.astimezone(self._clock.zone).date())
        holidays = snapshot.holidays(today - 1, today + _HARD.days + 1)
        digest = _digest(content, holidays, door, self._signer.epoch(door.device))
        known = self._caches.get(door.device)
        version, held = self._version(door.device), self._held.get(door.device, 0)
        fresh = known is not None and now - instant(known.issued_ms) < _REISSUE
        # Under a number that both know there may be another file at the board: only the next one settles it.
        sure = not self._is_unsure(door.device)
        if known and known.content == digest and fresh and sure and version >= held:
            return None
        issued = int(now.timestamp())
        contents = CacheFile(
            version=max(version, held) + 1,
            issued=issued,
            soft_expiry=issued + int(_SOFT.total_seconds()),
            hard_expiry=issued + int(_HARD.total_seconds()),
            windows=content.windows,
            persons=content.persons,
            cards=content.cards,
            holidays=holidays,
        )
        file = self._signer.build_cache(door.device, contents)
        return DeviceCache(door.device, contents.version, digest, milliseconds(now), file)

    def _tell(self, door: Door) -> None:
        cache = self._caches.get(door.device)
        if cache is None or self._is_unsure(door.device):
            return
        if self._fleet.find(door.device) is None:
            # Its key is gone: nothing can be sealed for it. The other doors go on.
            _log.warning("cache.untold", door=door.id, device=door.device)
            return
        config = gateway_cache.config(
            cache.version,
            len(cache.file),
            hashlib.sha256(cache.file).digest(),
            door.strike_ms,
            door.cap_ms,
            door.held_ms,
            door.min_strength,
            door.lockdown,
        )
        word = gateway_seal.counter_word(cache.version)
        try:
            self._fleet.say(door.device, topics.CONFIG, word, config, retain=True)
        except SigningUnavailable as away:
            # All boards are told again after the next connection.
            _log.warning("cache.untold", door=door.id, device=door.device, error=str(away))
            self._fleet.start_over()
        self._states.wanted(door.device, cache.version)


def _digest(content: CacheContent, holidays: Days, door: Door, key_epoch: int) -> bytes:
    """What a file and its config say, apart from version and dates; under another key it says it otherwise.

    In another format, too: a board that has an older one fetches the whole.
    """
    cards = [(uid.hex(), person, group) for uid, person, group in content.cards]
    settings = (door.strike_ms, door.cap_ms, door.held_ms, door.min_strength, door.lockdown)
    rules = (content.windows, holidays, content.persons, cards)
    said = json.dumps([records_build.FORMAT, *rules, settings, key_epoch])
    return hashlib.sha256(said.encode()).digest()
