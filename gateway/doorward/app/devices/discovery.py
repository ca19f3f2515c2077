"""Boards that announce themselves. What one says here makes it known to people, and opens nothing."""

from collections.abc import Callable

from doorward.app.devices.registry import Registry
from doorward.app.messages.fleet import Device, Fleet
from doorward.app.messages.router import Opened
from doorward.app.ports import Clock, Spawn
from doorward.domain import audit, devices
from doorward.domain.instants import milliseconds
from doorward.errors import Rejected
from doorward_core import gateway_messages, seal, topics
from doorward_core.gateway_messages import Announcement


class Discovery:
    """Takes `discovery/register`. `announced` hears of each board whose first announcement is on record."""

    def __init__(self, registry: Registry, fleet: Fleet, clock: Clock, spawn: Spawn) -> None:
        self._registry = registry
        self._fleet = fleet
        self._clock = clock
        self._spawn = spawn
        self._noting: set[str] = set()
        self.announced: list[Callable[[str], None]] = []

    def register(self, opened: Opened) -> None:
        """Take an announcement. Raises Rejected for one that is old, foreign, or without the board's claim code."""
        device, message, body, (_, boot, number) = opened
        if message.retained:
            raise Rejected("an announcement that was retained")
        if not isinstance(boot, bytes):
            raise Rejected("an announcement without a boot nonce")
        said = gateway_messages.parse_announcement(body)
        if said.device != device.id:
            raise Rejected("an announcement in another name")
        if device.approved:
            self._welcome(device, boot, number)
        else:
            self._consider(device, said, boot, number)
        message.ack()

    def _consider(self, device: Device, said: Announcement, boot: bytes, number: int) -> None:
        """A board that waits. Only its first good announcement is written down, however many come."""
        device.booted(boot)
        device.burn_number(topics.REGISTER, boot, number)
        known = self._registry.get(device.id)
        if known is None or not known.fits(said.claim):
            raise Rejected("a claim code that is not this board’s")
        device.heard_at = self._clock.now()
        device.firmware = said.firmware
        if known.state == devices.WAITING and device.id not in self._noting:
            self._noting.add(device.id)
            self._spawn(self._note(device.id, said))

    async def _note(self, device_id: str, said: Announcement) -> None:
        try:
            async with self._registry.changing:
                known = self._registry.get(device_id)
                # It may have been adopted anew or revoked since it spoke.
                if known is None or known.state != devices.WAITING or not known.fits(said.claim):
                    return
                announced = known.announced(said.board, said.firmware, self._registry.now_ms())
                why = f"The board {device_id} has announced itself, and waits for a name."
                row = await self._registry.record(announced, audit.DEVICE_ANNOUNCED, why)
        finally:
            self._noting.discard(device_id)
        self._registry.tell(row)
        for hears in self.announced:
            hears(device_id)

    def _welcome(self, device: Device, boot: bytes, number: int) -> None:
        """An approved board asks. The answer is good for the boot that asked, and changes nothing here."""
        if device.boot == boot:
            device.burn_number(topics.REGISTER, boot, number)
        elif device.boot is not None:
            # Either it was put up anew from the same files, or somebody plays back what it once said.
            self._fleet.reject(device, topics.REGISTER, "a claim code that was used already")
        word = seal.session_word(boot, milliseconds(self._clock.now()))
        self._fleet.say(device.id, topics.REGISTERED, word, gateway_messages.approved())
