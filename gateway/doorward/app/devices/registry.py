"""The boards of the site, in memory and on record; the fleet is what it says."""

import asyncio

from doorward.app.access.announcer import Announcer
from doorward.app.messages.fleet import Fleet
from doorward.app.ports import Clock, DeviceStore
from doorward.app.signer_ports import Signer
from doorward.domain import audit, devices
from doorward.domain.audit import AuditRow
from doorward.domain.devices import Registration
from doorward.domain.doors import Door
from doorward.domain.instants import milliseconds


class Registry:
    """What is known of every board that was ever adopted. Hold `changing` from the look to the record."""

    def __init__(
        self,
        store: DeviceStore,
        signer: Signer,
        fleet: Fleet,
        announcer: Announcer,
        clock: Clock,
    ) -> None:
        """Read the registry, and let the fleet know the boards that have keys and are not revoked."""
        self._store = store
        self._announcer = announcer
        self._clock = clock
        self._known = {known.id: known for known in store.registrations()}
        self.changing = asyncio.Lock()
        enrolled = set(signer.devices())
        for known in self._known.values():
            if known.id in enrolled and known.state != devices.REVOKED:
                fleet.enrol(known.id, approved=known.state == devices.APPROVED)

    def get(self, device: str) -> Registration | None:
        """What is known of a board."""
        return self._known.get(device)

    def list(self) -> tuple[Registration, ...]:
        """All boards, by id."""
        return tuple(self._known[device] for device in sorted(self._known))

    def now_ms(self) -> int:
        """The time as the registry keeps it."""
        return milliseconds(self._clock.now())

    async def record(
        self,
        device: Registration,
        kind: str,
        why: str,
        *,
        actor: str | None = None,
        door: Door | None = None,
        note: str | None = None,
    ) -> AuditRow:
        """Commit a change with its audit row; afterwards it is so. `door` is written with it if it is new or another.

        Tell the row when all that follows from it is done.
        """
        row = AuditRow(
            at_ms=self.now_ms(),
            kind=kind,
            source=audit.BOARD if actor is None else audit.OPERATOR,
            device=device.id,
            door_id=door.id if door else None,
            door_name=door.name if door else None,
            actor=actor,
            why=why,
            note=note,
        )
        stored = await self._store.put_device(device, row, door)
        self._known[device.id] = device
        return stored

    def tell(self, row: AuditRow) -> None:
        """Let everybody who listens know of a row that is on record."""
        self._announcer.announce([row])
