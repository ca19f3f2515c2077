"""What an operator does with boards: adopt, approve, revoke. Each acts at once and is in the audit."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from doorward.app.access.rulebook import Rulebook
from doorward.app.devices.checks import check_announced, check_case, check_id
from doorward.app.devices.doors import DoorOrder, door_for, own_name
from doorward.app.devices.files import BoardFiles, BoardProfile, BrokerAddress, board_files
from doorward.app.devices.registry import Registry
from doorward.app.devices.rekey import Rekeying
from doorward.app.devices.states import BoardStates
from doorward.app.messages.fleet import Fleet
from doorward.app.ports import Admission
from doorward.app.signatory import signatory_of
from doorward.app.signer_ports import Registrar
from doorward.app.trust import Adoption
from doorward.app.views.boards import BoardView, UpdateView
from doorward.domain import audit, devices
from doorward.domain.audit import AuditRow
from doorward.domain.devices import Registration
from doorward.domain.instants import instant
from doorward.errors import Conflict, NotFound

_CLAIM_BYTES = 16


@dataclass(frozen=True, slots=True)
class AdoptionOrder:
    """A board to adopt. board: its profile. broker: `HOST` or `HOST:PORT` as it finds it, None = as we know."""

    id: str
    board: str
    broker: str | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Adopted:
    """A board that was adopted, and its files: nobody can have them a second time."""

    board: BoardView
    again: bool
    files: BoardFiles


class Updates(Protocol):
    """What a board's view says of its firmware."""

    def of(self, device: str) -> UpdateView | None: ...

    def available(self, device: str) -> str | None: ...


class DeviceDesk:
    """Changes the registry, and makes broker, signer and fleet follow. `changed` is awaited when doors are others."""

    def __init__(
        self,
        registry: Registry,
        registrar: Registrar,
        admission: Admission,
        fleet: Fleet,
        rulebook: Rulebook,
        states: BoardStates,
        rekeying: Rekeying,
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._registry = registry
        self._registrar = registrar
        self._admission = admission
        self._fleet = fleet
        self._rulebook = rulebook
        self._states = states
        self._rekeying = rekeying
        self.updates: Updates | None = None
        self._changed = changed
        for known in registry.list():
            if known.state == devices.APPROVED:
                states.fixtures.expect(known.id, known.role)

    def list(self) -> tuple[BoardView, ...]:
        """Every board that was ever adopted, by id."""
        return tuple(self._view(known) for known in self._registry.list())

    def get(self, device: str) -> BoardView:
        """One board. Raises NotFound."""
        return self._view(self._known(device))

    def knows(self, device: str) -> bool:
        """True for a board that was ever adopted."""
        return self._registry.get(device) is not None

    async def adopt(
        self,
        device: str,
        profile: BoardProfile,
        broker: BrokerAddress,
        *,
        again: bool = False,
        actor: str,
    ) -> Adopted:
        """Make a board's secrets, and a claim code. Whatever it had before is worth nothing from now on.

        Raises InvalidInput for what cannot be an id, and Conflict for a board that is known unless `again` is said.
        """
        async with self._registry.changing:
            former = self._former(device, again=again)
            await self._shut_out(device)
            adoption = await asyncio.to_thread(self._registrar.adopt, device)
            if former is not None:
                await self._admission.enforce(device)
            claim = secrets.token_bytes(_CLAIM_BYTES)
            made = Registration(
                device,
                profile.name,
                devices.WAITING,
                self._registry.now_ms(),
                serial=f"{adoption.serial:x}",
                claim=devices.digest(claim),
                trusts=_signatory(adoption),
                role=profile.role,
            )
            void = "; its old keys are void" if former else ""
            why = f"The board {device} was given keys{void}."
            row = await self._registry.record(made, audit.DEVICE_ADOPTED, why, actor=actor)
            self._fleet.enrol(device, approved=False)
            await self._admission.admit(device, self._registrar.digests()[device], waiting=True)
        self._registry.tell(row)
        files = board_files(adoption, claim, profile, broker, made.adopted_ms // 1000)
        return Adopted(self._view(made), former is not None, files)

    def _former(self, device: str, *, again: bool) -> Registration | None:
        """What a board was that is to be given keys; raises InvalidInput and Conflict as `adopt` does."""
        check_id(device)
        former = self._registry.get(device)
        if former is not None and not again:
            raise Conflict(
                f"the board {device} is known already ({former.state})",
                "--again makes new keys for it and shuts out whatever holds the old ones",
                field="id",
            )
        check_case(device, self._registry.list())
        self._admission.check_name(device)
        return former

    async def approve(self, device: str, order: DoorOrder, *, actor: str) -> BoardView:
        """Trust a board that has announced itself with a door: a new one, or one whose board is gone.

        One without a lock is trusted under that name.

        Its claim code is used up. Raises NotFound, InvalidInput, and Conflict for a board or a door in another state.
        """
        async with self._registry.changing:
            known = self._known(device)
            check_announced(known)
            door, name = None, None
            if known.keeps_door:
                door = door_for(known, order, self._rulebook.snapshot, self._keeps)
                why = f"The board {device} keeps {door.name} from now on."
            else:
                name = own_name(device, order, self._registry.list())
                why = f"The board {device} is called {name} from now on."
            digest = self._digest(device)
            approved = known.approved(self._registry.now_ms(), name)
            row = await self._registry.record(
                approved, audit.DEVICE_APPROVED, why, actor=actor, door=door
            )
            self._fleet.enrol(device, approved=True)
            await self._admission.admit(device, digest, waiting=False)
        await self._follow(row)
        self._states.fixtures.expect(device, known.role)
        return self.get(device)

    async def revoke(self, device: str, *, actor: str) -> BoardView:
        """Shut a board out for good. When this returns, nothing that it holds is worth anything here.

        Its certificate, secret and keys, its connection, its session, its queue and what it left at the broker are
        gone; so they are after a restart. Raises NotFound, and Conflict for one that was revoked already.
        """
        async with self._registry.changing:
            known = self._known(device)
            # First, and also the second time: whoever asks for this wants it to be so.
            await self._shut_out(device)
            if known.state == devices.REVOKED:
                await asyncio.to_thread(self._registrar.forget, device)
                await self._admission.enforce(device)
                raise Conflict(
                    f"the board {device} was revoked already", "there is nothing to do", field="id"
                )
            door = self._rulebook.snapshot.by_device.get(device)
            revoked = known.revoked(self._registry.now_ms())
            why = f"The board {device} was shut out for good."
            row = await self._registry.record(
                revoked, audit.DEVICE_REVOKED, why, actor=actor, door=door
            )
            await asyncio.to_thread(self._registrar.forget, device)
            # On record before the last step: whatever that comes to, the board is revoked.
            self._registry.tell(row)
            await self._admission.enforce(device)
        return self.get(device)

    async def rekey(self, device: str, *, actor: str) -> int:
        """Give a connected board a new key; returns the key's number. See `Rekeying.rekey`."""
        self._known(device)
        return await self._rekeying.rekey(device, actor)

    async def _shut_out(self, device: str) -> None:
        """Hear nothing of it any more: in memory at once, at the broker's disk when this returns."""
        self._fleet.forget(device)
        self._states.gone(device)
        self._rekeying.forget(device)
        await self._admission.expel(device)

    async def _follow(self, row: AuditRow) -> None:
        await self._rulebook.refresh()
        self._registry.tell(row)
        await self._changed()

    def _keeps(self, device: str) -> bool:
        """Whether this board is trusted with its door."""
        known = self._registry.get(device)
        return known is not None and known.state == devices.APPROVED

    def _known(self, device: str) -> Registration:
        known = self._registry.get(device)
        if known is None:
            names = ", ".join(one.id for one in self._registry.list()[:8]) or "none yet"
            raise NotFound(f"there is no board {device!r}", f"known: {names}", field="id")
        return known

    def _digest(self, device: str) -> bytes:
        """Of its MQTT secret. Raises Conflict where its key has gone."""
        digest = self._registrar.digests().get(device)
        if digest is None:
            raise Conflict(
                f"the key of the board {device} is gone",
                f"`doorward device adopt {device} --again`, and flash it anew",
                field="id",
            )
        return digest

    def _view(self, known: Registration) -> BoardView:
        door = self._rulebook.snapshot.by_device.get(known.id)
        heard = self._fleet.candidate(known.id)
        return BoardView(
            id=known.id,
            board=known.board,
            state=known.state,
            door_id=door.id if door else None,
            door_name=door.name if door else None,
            online=heard.online if heard else False,
            firmware=(heard.firmware if heard else None) or known.firmware,
            heard_at=heard.heard_at if heard else None,
            rejected=heard.rejected.total() if heard else 0,
            adopted_at=instant(known.adopted_ms) if known.adopted_ms else None,
            approved_at=instant(known.approved_ms) if known.approved_ms else None,
            revoked_at=instant(known.revoked_ms) if known.revoked_ms else None,
            certificate=known.serial is not None,
            available=self.updates.available(known.id) if self.updates else None,
            update=self.updates.of(known.id) if self.updates else None,
            role=known.role,
            name=known.name,
        )


def _signatory(adoption: Adoption) -> str | None:
    """Whose firmware the board takes from the start."""
    return signatory_of(adoption.firmware_key).name if adoption.firmware_key else None
