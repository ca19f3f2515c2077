"""Whose firmware a board takes: told at its adoption, or later under a challenge, as a new device key is."""

from dataclasses import replace

from doorward.app.devices.registry import Registry
from doorward.app.messages.challenges import Challenges, NotTakenError
from doorward.app.messages.fleet import Fleet
from doorward.app.signatory import Signatory
from doorward.domain import audit
from doorward.errors import NotFound, Unavailable
from doorward_core import gateway_updates


class Trusting:
    """Gives boards the public half of the key that signs firmware. What a board has is on record."""

    def __init__(self, registry: Registry, fleet: Fleet, challenges: Challenges) -> None:
        self._registry = registry
        self._fleet = fleet
        self._challenges = challenges

    async def give(self, device_id: str, signatory: Signatory, *, actor: str) -> None:
        """Let a board take this key's firmware from now on, and no other's; nothing happens if it does already.

        Raises NotFound, and Unavailable when the board is away or does not take it.
        """
        known = self._registry.get(device_id)
        if known is None:
            raise NotFound(f"there is no board {device_id!r}", field="id")
        if known.trusts == signatory.name:
            return
        called = f"the board {device_id}"
        device = self._fleet.present(device_id, called, "update it when it is back")
        try:
            await self._challenges.ask(
                device, lambda _nonce: ("trust", gateway_updates.trust(signatory.modulus))
            )
        except NotTakenError as refusal:
            why = refusal.why or "no answer"
            problem = f"{called} did not take the key that signs firmware ({why})"
            remedy = (
                "try again when it is connected; older firmware has to be updated over USB once"
            )
            raise Unavailable(problem, remedy, field="device") from None
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
