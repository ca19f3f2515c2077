"""Who is there: hello, will, heartbeat and reported state of the boards."""

from collections.abc import Callable
from datetime import datetime

from doorward.app.devices.states import BoardStates
from doorward.app.messages.commands import command
from doorward.app.messages.fleet import Device, Fleet
from doorward.app.messages.router import Opened
from doorward.app.ports import Clock, Message
from doorward.app.records import LogHead
from doorward.domain.instants import milliseconds
from doorward.errors import Rejected
from doorward_core import gateway_messages, gateway_states, seal, topics
from doorward_core.gateway_messages import Hello
from doorward_core.gateway_states import Reported

_PROOF_S = 10  # nothing opens by it, and it may be answered late


class Presence:
    """Keeps each board's presence. A board is online from its first live word until its will is published.

    A hello is as good as its seal, and as old as it may be: after a restart we know no boot, and any that the board
    ever had could be played back to us. So each boot that is new to us is asked a question, and until it has answered
    it is not there, and what it reports is kept and not told.

    `on_hello` hears of every hello, and of a new boot's once more when the board is there.
    """

    def __init__(
        self,
        fleet: Fleet,
        states: BoardStates,
        clock: Clock,
        head: Callable[[str], LogHead | None],
    ) -> None:
        """`head` says how far a board's log is on record."""
        self._fleet = fleet
        self._head = head
        self._states = states
        self._clock = clock
        self._untold: dict[str, tuple[Reported, datetime]] = {}
        self._unproven: dict[str, Hello] = {}
        self.on_hello: list[Callable[[Device, Hello], None]] = []

    def hello(self, opened: Opened) -> None:
        """A board has connected. Retained, it tells of the boot only: whether the board is still there is not known."""
        device, message, body, (_, boot, number) = opened
        if not isinstance(boot, bytes):
            raise Rejected("a hello without a boot nonce")
        said = gateway_messages.parse_hello(body)
        if said.device != device.id:
            raise Rejected("a hello in another name")
        if boot != device.boot:
            self._check_age(device, message, said, boot)
        if boot != device.boot:
            self._untold.pop(device.id, None)
            self._unproven.pop(device.id, None)
        device.booted(boot)
        device.go_on_after(said.heard)
        if message.retained:
            device.recall_number(topics.ONLINE, boot, number)
        else:
            device.burn_number(topics.ONLINE, boot, number)
            device.online = device.proof is None
        if device.proof is not None:
            self._unproven[device.id] = said
            self._ask(device, device.proof)
        device.firmware = said.firmware
        device.cache_version = said.cache_version
        self._heard(device)
        for listener in self.on_hello:
            listener(device, said)
        message.ack()

    def _check_age(self, device: Device, message: Message, said: Hello, boot: bytes) -> None:
        """A boot begins where the log is. Raises Rejected for one that began before what we hold of it.

        It may be one that is over, and told again. Or the board's flash has lost its newest entries: then it hears how
        far we are, goes on above that and says hello once more.
        """
        if message.retained and device.boot is None:
            # Said when the board connected, and its log has grown since. A live hello will outdo it.
            return
        head = self._head(device.id)
        if head is not None and said.log_epoch == head.epoch and said.log_seq < head.seq:
            number = max(milliseconds(self._clock.now()), said.heard + 1)
            held = gateway_messages.events_ack(head.epoch, head.seq, head.digest)
            word = seal.session_word(boot, number)
            self._fleet.say(device.id, topics.EVENTS_ACK, word, held)
            raise Rejected("a hello from before what the log says")

    def reported(self, opened: Opened) -> None:
        """What the board says it is."""
        device, message, body, _ = opened
        state = gateway_states.parse_reported(body)
        news = self.live(opened)
        if message.retained:
            # Nobody knows how long ago that was said: how long anything lasts is told when the board says so itself.
            state.hold_s = None
        if news and device.proof is None:
            self._tell(device, state)
        elif news:
            self._untold[device.id] = state, self._clock.now()
        message.ack()

    def heartbeat(self, opened: Opened) -> None:
        """A sign of life. A board that was asked and is still silent has not heard the question."""
        self.live(opened)
        if opened.device.proof is not None and not opened.message.retained:
            self._ask(opened.device, opened.device.proof)
        battery_mv = gateway_states.parse_battery(opened.body)
        self._states.measured(opened.device.id, battery_mv=battery_mv)
        opened.message.ack()

    def metrics(self, opened: Opened) -> None:
        """What a vault counts."""
        attempts = gateway_states.parse_attempts(opened.body)
        self.live(opened)
        self._states.measured(opened.device.id, attempts=attempts)
        opened.message.ack()

    def live(self, opened: Opened) -> bool:
        """Take a statement's number; heard live, the board is online. False for what was heard before."""
        device, message, _, (_, boot, number) = opened
        if not isinstance(boot, bytes):
            raise Rejected("a statement without a boot nonce")
        if message.retained:
            # Known from before our time; it says how things were, not that anybody is there.
            return device.recall_number(message.suffix, boot, number)
        device.burn_number(message.suffix, boot, number)
        device.online = device.proof is None
        self._heard(device)
        return True

    def proven(self, device: Device) -> None:
        """The board has answered what only its present boot can have been asked."""
        device.proof = None
        device.online = True
        device.heard_at = self._clock.now()
        if device.id in self._untold:
            state, at = self._untold.pop(device.id)
            if state.hold_s is not None:
                left = state.hold_s - round((device.heard_at - at).total_seconds())
                state.hold_s = left if left > 0 else None
            self._tell(device, state)
        self._heard(device)
        said = self._unproven.pop(device.id, None)
        if said is not None:
            for listener in self.on_hello:
                listener(device, said)

    def _ask(self, device: Device, proof: str) -> None:
        question = command("status", {}, proof, _PROOF_S, self._clock)
        self._fleet.tell(device, topics.CONTROL, question)

    def _tell(self, device: Device, state: Reported) -> None:
        device.firmware = state.firmware
        device.cache_version = state.cache_version
        self._states.reported(device, state)

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
