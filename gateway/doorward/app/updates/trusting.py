"""Whose firmware a board takes: told at its adoption, or later under a challenge, as a new device key is."""

import asyncio
from dataclasses import dataclass, replace

from doorward.app.devices.registry import Registry
from doorward.app.messages.commands import command, new_id
from doorward.app.messages.fleet import Device, Fleet
from doorward.app.ports import Clock
from doorward.app.updates.signatory import Signatory
from doorward.domain import audit
from doorward.errors import NotFound, Unavailable
from doorward_core import gateway_updates, seal, topics
from doorward_core.gateway_messages import CommandAck

TTL_S = 20


@dataclass(slots=True)
class _Pending:
    """A key on its way. sent: it has left, sealed to the board's one nonce."""

    command_id: str
    modulus: bytes
    done: asyncio.Future[None]
    sent: bool = False


class Trusting:
    """Gives boards the public half of the key that signs firmware. What a board has is on record."""

    def __init__(self, registry: Registry, fleet: Fleet, clock: Clock) -> None:
        self._registry = registry
        self._fleet = fleet
        self._clock = clock
        self._pending: dict[str, _Pending] = {}

    async def give(self, device_id: str, signatory: Signatory, *, actor: str) -> None:
        """Let a board take this key's firmware from now on, and no other's; nothing happens if it does already.

        Raises NotFound, and Unavailable when the board is away or does not take it.
        """
        known = self._registry.get(device_id)
        if known is None:
            raise NotFound(f"there is no board {device_id!r}", field="id")
        if known.trusts == signatory.name:
            return
        device = self._fleet.find(device_id)
        if device is None or not device.online:
            raise Unavailable(f"the board {device_id} is offline", field="device")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        pending = _Pending(new_id(), signatory.modulus, future)
        self._pending[device_id] = pending
        timer = self._clock.call_later(TTL_S, lambda: _fail(pending, device_id, "no answer"))
        try:
            self._fleet.tell(
                device, topics.CONTROL, self._command("challenge", {"for": "rekey"}, pending)
            )
            await pending.done
        finally:
            timer.cancel()
            del self._pending[device_id]
        async with self._registry.changing:
            known = self._registry.get(device_id) or known
            row = await self._registry.record(
                replace(known, trusts=signatory.name),
                audit.DEVICE_TRUSTS,
                f"The board {device_id} takes firmware that this site has signed, and no other.",
                actor=actor,
                note=f"key {signatory.name}",
            )
        self._registry.tell(row)

    def acknowledged(self, device: Device, ack: CommandAck) -> None:
        """The board offers its nonce, or says how it went."""
        pending = self._pending.get(device.id)
        if pending is None or pending.command_id != ack.command_id:
            return
        if ack.nonce is not None and not pending.sent:
            pending.sent = True
            body = self._command("trust", gateway_updates.trust(pending.modulus), pending)
            self._fleet.say(device.id, topics.REKEY, seal.nonce_word(ack.nonce), body)
        elif ack.result == "done" and pending.sent and not pending.done.done():
            pending.done.set_result(None)
        elif ack.result is not None:
            _fail(pending, device.id, ack.result)

    def _command(self, name: str, parameters: dict[str, object], pending: _Pending) -> bytes:
        return command(name, parameters, pending.command_id, TTL_S, self._clock)


def _fail(pending: _Pending, device_id: str, why: str) -> None:
    if not pending.done.done():
        problem = f"the board {device_id} did not take the key that signs firmware ({why})"
        remedy = "try again when it is connected; older firmware has to be updated over USB once"
        pending.done.set_exception(Unavailable(problem, remedy, field="device"))
