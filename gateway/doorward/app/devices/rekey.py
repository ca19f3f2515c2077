"""Rekey: a board's next key, sent under its present one, in force with the board's first good word under it.

Until that word both keys are valid, so a board that was cut off half-way goes on with the one it has. This renews a key
in good order; one that leaked protects nothing any more, and is replaced over USB.
"""

from collections.abc import Awaitable, Callable

import structlog

from doorward.app.access.announcer import Announcer
from doorward.app.messages.challenges import Challenges, NotTakenError
from doorward.app.messages.fleet import Device, Fleet
from doorward.app.ports import AuditStore, Clock, Spawn
from doorward.app.signer_ports import Signer
from doorward.domain import audit
from doorward.domain.audit import AuditRow
from doorward.domain.instants import milliseconds
from doorward.errors import Conflict, NotFound, Unavailable
from doorward_core.gateway_messages import Hello
from doorward_core.messages import hexed

_log = structlog.get_logger(__name__)

_STAYS = "it stays on its present key; try again when it is connected"


class Rekeying:
    """At most one rekey a board at a time. `refresh` makes the boards' caches anew: a cache is of one key."""

    def __init__(
        self,
        fleet: Fleet,
        signer: Signer,
        store: AuditStore,
        announcer: Announcer,
        clock: Clock,
        spawn: Spawn,
        challenges: Challenges,
        refresh: Callable[[], Awaitable[None]],
    ) -> None:
        self._fleet = fleet
        self._signer = signer
        self._store = store
        self._announcer = announcer
        self._clock = clock
        self._spawn = spawn
        self._challenges = challenges
        self._refresh = refresh
        self._epochs = {device: signer.epoch(device) for device in signer.devices()}
        self._actors: dict[str, str] = {}  # who has asked for those that are on their way

    async def rekey(self, device_id: str, actor: str) -> int:
        """Give a board a new key; returns its epoch when the board has spoken under it.

        Raises NotFound, Conflict while one is on its way, Unavailable when the board is away or does not take it.
        """
        if self._fleet.find(device_id) is None:
            raise NotFound(
                f"there is no board {device_id}",
                "`doorward device list` shows them all",
                field="id",
            )
        device = self._fleet.present(device_id, f"the board {device_id}", _STAYS)
        if self._challenges.busy(device_id):
            raise Conflict(f"a key is on its way to {device_id} already", "wait for the result")
        self._epochs[device_id] = self._signer.epoch(device_id)
        self._actors[device_id] = actor

        async def first() -> None:
            why = "Asked the board to take a new key."
            await self._record(audit.REKEY_REQUESTED, device_id, why, actor)

        def give(nonce: bytes) -> tuple[str, dict[str, object]]:
            epoch, wrapped = self._signer.next_key(device_id, nonce)
            return "rekey", {"epoch": epoch, "key": hexed(wrapped)}

        try:
            return await self._challenges.ask(device, give, first=first, ends_with_ack=False)
        except NotTakenError as refusal:
            problem = f"no word from board {device_id} under a new key"
            if refusal.why:
                problem = f"{device_id} refused the new key ({refusal.why})"
            raise Unavailable(problem, _STAYS, field="device") from None
        finally:
            del self._actors[device_id]

    def forget(self, device_id: str) -> None:
        """The board was shut out: whatever key it speaks under next is not one that we gave it here."""
        self._epochs.pop(device_id, None)

    def hello(self, device: Device, _said: Hello) -> None:
        """A board has said hello: under a new key, that one is in force from now on."""
        epoch = self._signer.epoch(device.id)
        known = self._epochs.get(device.id, epoch)
        self._epochs[device.id] = epoch
        # A board that was adopted again has begun anew, and was not rekeyed.
        if epoch > known:
            self._spawn(self._in_force(device.id, epoch))

    async def _in_force(self, device_id: str, epoch: int) -> None:
        actor = self._actors.get(device_id)
        why = f"The board speaks under its key {epoch}."
        try:
            await self._record(audit.REKEYED, device_id, why, actor)
        finally:
            # Whatever the audit says: the board has the key, and its cache has to follow.
            if device_id in self._actors:
                self._challenges.settle(device_id, epoch)
            await self._refresh()

    async def _record(self, kind: str, device_id: str, why: str, actor: str | None) -> None:
        row = AuditRow(
            at_ms=milliseconds(self._clock.now()),
            kind=kind,
            source=audit.OPERATOR if actor else audit.GATEWAY,
            device=device_id,
            why=why,
            actor=actor,
        )
        self._announcer.announce([await self._store.append(row)])
