"""Who is there: hello, will, heartbeat and reported state of the boards."""

from doorward.app.doorstates import DoorStates
from doorward.app.fleet import Device, Fleet
from doorward.app.ports import Clock, Message
from doorward.app.router import Opened
from doorward.errors import Rejected
from doorward_core import gateway_messages, topics


class Presence:
    """Keeps each board's presence. A board is online from its first live word until its will is published."""

    def __init__(self, fleet: Fleet, states: DoorStates, clock: Clock) -> None:
        self._fleet = fleet
        self._states = states
        self._clock = clock

    def hello(self, opened: Opened) -> None:
        """A board has connected. Retained, it tells of the boot only: whether the board is still there is not known."""
        device, message, body, (_, boot, number) = opened
        if not isinstance(boot, bytes):
            raise Rejected("a hello without a boot nonce")
        said = gateway_messages.parse_hello(body)
        if said.device != device.id:
            raise Rejected("a hello in another name")
        device.booted(boot)
        if not message.retained:
            device.burn_number(topics.ONLINE, boot, number)
            device.online = True
        device.firmware = said.firmware
        device.cache_version = said.cache_version
        self._heard(device)
        message.ack()

    def reported(self, opened: Opened) -> None:
        """What the board says it is."""
        device, message, body, _ = opened
        state = gateway_messages.parse_reported(body)
        self.live(opened)
        device.firmware = state.firmware
        device.cache_version = state.cache_version
        self._states.reported(device, state)
        message.ack()

    def heartbeat(self, opened: Opened) -> None:
        """A sign of life."""
        self.live(opened)
        opened.message.ack()

    def live(self, opened: Opened) -> None:
        """Take a statement's number; heard live, the board is online."""
        device, message, _, (_, boot, number) = opened
        if not isinstance(boot, bytes):
            raise Rejected("a statement without a boot nonce")
        if message.retained:
            # Known from before our time; it says how things were, not that anybody is there.
            return
        device.burn_number(message.suffix, boot, number)
        device.online = True
        self._heard(device)

    def offline(self, device: Device, message: Message) -> None:
        """The will. It is not sealed, so it is a hint: it takes nothing away but the green dot."""
        if message.payload:
            device.online = False
            self._fleet.clear(device.id, topics.ONLINE)
            self._states.heard(device)
        message.ack()

    def _heard(self, device: Device) -> None:
        device.heard_at = self._clock.now()
        self._states.heard(device)
