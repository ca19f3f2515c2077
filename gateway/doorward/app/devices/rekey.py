"""Rekey: a board's next key, sent under its present one, in force with the board's first good word under it.

Until that word both keys are valid, so a board that was cut off half-way goes on with the one it has. This renews a key
in good order; one that leaked protects nothing any more, and is replaced over USB.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from doorward.app.access.announcer import Announcer
from doorward.app.messages.commands import command, new_id
from doorward.app.messages.fleet import Device, Fleet
from doorward.app.ports import AuditStore, Clock, Spawn, Timer
from doorward.app.signer_ports import Signer
from doorward.domain import audit
from doorward.domain.audit import AuditRow
from doorward.domain.instants import milliseconds
from doorward.errors import Conflict, NotFound, Unavailable
from doorward_core import seal, topics
from doorward_core.gateway_messages import CommandAck, Hello
from doorward_core.messages import hexed

_log = structlog.get_logger(__name__)

# The board restarts with its new key; a slow link may need a few tries for that.
TTL_S = 20
_STAYS = "it stays on its present key; try again when it is connected"


@dataclass(slots=True)
class _Pending:
    """A rekey on its way. sent: the new key has left, sealed to the board's one nonce."""

    command_id: str
    actor: str
    done: asyncio.Future[int]
    timer: Timer | None = None
    sent: bool = False


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
        refresh: Callable[[], Awaitable[None]],
    ) -> None:
        self._fleet = fleet
        self._signer = signer
        self._store = store
        self._announcer = announcer
        self._clock = clock
        self._spawn = spawn
        self._refresh = refresh
        self._epochs = {device: signer.epoch(device) for device in signer.devices()}
        self._pending: dict[str, _Pending] = {}

    async def rekey(self, device_id: str, actor: str) -> int:
        """Give a board a new key; returns its epoch when the board has spoken under it.

        Raises NotFound, Conflict while one is on its way, Unavailable when the board is away or does not take it.
        """
        device = self._present(device_id)
        if device_id in self._pending:
            raise Conflict(f"{device_id} is being rekeyed already", "wait for the result")
        pending = _Pending(new_id(), actor, asyncio.get_running_loop().create_future())
        self._epochs[device_id] = self._signer.epoch(device_id)
        self._pending[device_id] = pending
        try:
            await self._record(
                audit.REKEY_REQUESTED, device_id, "Asked the board to take a new key.", actor
            )
            pending.timer = self._clock.call_later(TTL_S, lambda: self._give_up(device_id, pending))
            self._fleet.tell(
                device, topics.CONTROL, self._command("challenge", {"for": "rekey"}, pending)
            )
            return await pending.done
        finally:
            del self._pending[device_id]
            if pending.timer is not None:
                pending.timer.cancel()

    def forget(self, device_id: str) -> None:
        """The board was shut out: whatever key it speaks under next is not one that we gave it here."""
        self._epochs.pop(device_id, None)

    def acknowledged(self, device: Device, ack: CommandAck) -> None:
        """The board offers its nonce, or says that it will not."""
        pending = self._pending.get(device.id)
        if pending is None or pending.command_id != ack.command_id:
            return
        if ack.nonce is not None and not pending.sent:
            pending.sent = True
            self._send_key(device, pending, ack.nonce)
        elif ack.result not in (None, "done"):
            self._fail(pending, f"{device.id} refused the new key ({ack.result}); {_STAYS}")

    def hello(self, device: Device, _said: Hello) -> None:
        """A board has said hello: under a new key, that one is in force from now on."""
        epoch = self._signer.epoch(device.id)
        known = self._epochs.get(device.id, epoch)
        self._epochs[device.id] = epoch
        # A board that was adopted again has begun anew, and was not rekeyed.
        if epoch > known:
            self._spawn(self._in_force(device.id, epoch))

    async def _in_force(self, device_id: str, epoch: int) -> None:
        pending = self._pending.get(device_id)
        actor = pending.actor if pending else None
        why = f"The board speaks under its key {epoch}."
        try:
            await self._record(audit.REKEYED, device_id, why, actor)
        finally:
            # Whatever the audit says: the board has the key, and its cache has to follow.
            if pending is not None and not pending.done.done():
                pending.done.set_result(epoch)
            await self._refresh()

    def _present(self, device_id: str) -> Device:
        device = self._fleet.find(device_id)
        if device is None:
            raise NotFound(
                f"there is no board {device_id}",
                "`doorward device list` shows them all",
                field="id",
            )
        if not device.online or device.boot is None:
            raise Unavailable(f"board {device_id} is offline; {_STAYS}", field="device")
        return device

    def _send_key(self, device: Device, pending: _Pending, nonce: bytes) -> None:
        epoch, wrapped = self._signer.next_key(device.id, nonce)
        body = self._command("rekey", {"epoch": epoch, "key": hexed(wrapped)}, pending)
        self._fleet.say(device.id, topics.REKEY, seal.nonce_word(nonce), body)

    def _command(self, name: str, parameters: dict[str, object], pending: _Pending) -> bytes:
        return command(name, parameters, pending.command_id, TTL_S, self._clock)

    def _give_up(self, device_id: str, pending: _Pending) -> None:
        self._fail(pending, f"no word from board {device_id} under a new key; {_STAYS}")

    @staticmethod
    def _fail(pending: _Pending, problem: str) -> None:
        if not pending.done.done():
            pending.done.set_exception(Unavailable(problem, field="device"))

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
