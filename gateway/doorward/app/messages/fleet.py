"""The boards as the gateway knows them while it runs: present or not, their boot, their numbers."""

import secrets
from collections import Counter, OrderedDict, deque
from datetime import datetime

import structlog

from doorward.app.ports import Clock, Publisher
from doorward.app.signer_ports import Signer
from doorward.domain.instants import milliseconds
from doorward.errors import Outdated, Rejected, Unavailable
from doorward_core import seal, topics

_log = structlog.get_logger(__name__)

_NONCES_KEPT = 256
_BOOTS_KEPT = 64


class Device:
    """What is known of one board; nothing of it survives a restart, all of it is told again."""

    def __init__(self, device_id: str, *, approved: bool = True) -> None:
        self.id = device_id
        self.approved = approved
        self.online = False
        self.firmware: str | None = None
        self.cache_version: int | None = None
        self.heard_at: datetime | None = None
        self.boot: bytes | None = None
        self.proof: str | None = None
        self.rejected: Counter[str] = Counter()
        self._down = 0
        self._up: dict[str, int] = {}
        self._nonces: OrderedDict[bytes, None] = OrderedDict()
        self._former: deque[bytes] = deque(maxlen=_BOOTS_KEPT)

    def next_word(self, now: datetime) -> str | None:
        """The freshness word for a state or an ack to this board's present boot; None before its hello."""
        if self.boot is None:
            return None
        # Milliseconds, so that it rises across a restart of the gateway too.
        self._down = max(self._down + 1, milliseconds(now))
        return seal.session_word(self.boot, self._down)

    def go_on_after(self, number: int) -> None:
        """What we say next must be above this, also when our clock has gone back since we said it."""
        self._down = max(self._down, number)

    def booted(self, boot: bytes) -> None:
        """The board has (re)started: numbers of its former boot are over. Raises Rejected for a former boot.

        A boot that is new to us has something to prove: see `Presence.hello`.
        """
        if boot in self._former:
            raise Rejected("a hello of a boot that is over")
        if boot != self.boot:
            if self.boot is not None:
                self._former.append(self.boot)
            self.boot = boot
            self.proof = "boot_" + secrets.token_hex(8)
            self.online = False
            self._up.clear()

    def burn_number(self, suffix: str, boot: bytes, number: int) -> None:
        """Take a number of the board's present boot, once. Raises Rejected for old ones."""
        if boot != self.boot:
            raise Rejected("a message of another boot")
        if number <= self._up.get(suffix, 0):
            raise Rejected("a number that was used already")
        self._up[suffix] = number

    def recall_number(self, suffix: str, boot: bytes, number: int) -> bool:
        """Look at the number of a retained statement: False if it was heard live. Raises Rejected for an older one.

        Raises Outdated for one of another boot: whenever all starts anew, the broker hands such out.
        """
        if boot != self.boot:
            raise Outdated("a message of another boot")
        heard = self._up.get(suffix, 0)
        if number < heard:
            raise Rejected("a number that was used already")
        return number != heard

    def burn_nonce(self, nonce: bytes) -> None:
        """Take a call's nonce, once. Raises Rejected for one that was answered already."""
        if nonce in self._nonces:
            raise Rejected("a call that was answered already")
        self._nonces[nonce] = None
        if len(self._nonces) > _NONCES_KEPT:
            self._nonces.popitem(last=False)


class Fleet:
    """All boards that have keys here, and the way to talk to them. Only those that are approved are believed."""

    def __init__(self, base: str, signer: Signer, publisher: Publisher, clock: Clock) -> None:
        """Start with nobody: `DeviceDesk` says who there is."""
        self._base = base
        self._signer = signer
        self._publisher = publisher
        self._clock = clock
        self._devices: dict[str, Device] = {}
        self.strangers = 0

    def enrol(self, device_id: str, *, approved: bool) -> None:
        """Know a board from now on, as one that has never been heard; its keys are at the signer."""
        self._devices[device_id] = Device(device_id, approved=approved)

    def forget(self, device_id: str) -> None:
        """From now on nothing that this board says is heard, and nothing is said to it."""
        self._devices.pop(device_id, None)

    def find(self, device_id: str) -> Device | None:
        """The board of that id, None if it is not known, or nobody has approved it."""
        device = self._devices.get(device_id)
        return device if device is not None and device.approved else None

    def present(self, device_id: str, called: str, remedy: str, *, field: str = "device") -> Device:
        """The board of that id, if it is there. called: as it is called in what Unavailable says."""
        device = self.find(device_id)
        if device is None or not device.online or device.boot is None:
            raise Unavailable(f"{called} is offline", remedy, field=field)
        return device

    def candidate(self, device_id: str) -> Device | None:
        """The board of that id, also one that waits for approval."""
        return self._devices.get(device_id)

    def refused(self) -> dict[str, int]:
        """How many messages were refused since the start, by board; only boards that sent such."""
        counts = {device.id: device.rejected.total() for device in self._devices.values()}
        return {device: count for device, count in counts.items() if count}

    def say(
        self, device_id: str, suffix: str, freshness: str, body: bytes, *, retain: bool = False
    ) -> None:
        """Seal a body and send it to a board."""
        payload = self._signer.seal(device_id, suffix, freshness, body)
        topic = topics.device_topic(self._base, device_id, suffix)
        self._publisher.publish(topic, payload, retain=retain)

    def tell(self, device: Device, suffix: str, body: bytes) -> bool:
        """Send a body bound to the board's present boot; False before its hello."""
        word = device.next_word(self._clock.now())
        if word is None:
            return False
        self.say(device.id, suffix, word, body)
        return True

    def clear(self, device_id: str, suffix: str) -> None:
        """Remove what is retained on a leaf."""
        topic = topics.device_topic(self._base, device_id, suffix)
        self._publisher.publish(topic, b"", retain=True)

    def start_over(self) -> None:
        """The store or the signer failed: have what was not acknowledged delivered again, later."""
        self._publisher.start_over()

    def reject(self, device: Device, suffix: str, reason: str) -> None:
        """Count a message that was refused; the first of a kind and every hundredth is logged."""
        device.rejected[reason] += 1
        if device.rejected[reason] % 100 == 1:
            _log.warning("message.rejected", device=device.id, leaf=suffix, reason=reason)
