"""Random sessions of a few clients, played against a broker; what each step delivered to whom.

A step is settled before the next: every handshake is finished, and a round trip brings nothing new. So two brokers can
be compared step by step. Where the standard leaves a broker free, `Outcome` says the same for all it allows:

* Overlapping subscriptions may bring one copy each (3.3.5): equal copies count once, at the highest QoS among them.
* Order is promised within a topic and a QoS (4.6), nothing across: deliveries are compared by topic, by the QoS they
  were published at, which stands at the end of every payload, and by the QoS they came with.
* A QoS 2 publish may be passed on when it comes or when it is released (4.3.3): a broken handshake is one step
  together with the return that finishes it, and what its own publisher gets of it at QoS 0 is not looked at:
  one broker sends it over the link that breaks, the other over the next.
* Mosquitto keeps back the will of a connection that is taken over, although 3.1.2.5 names no such exception; ours sends
  it (test_broker_mqtt says so). Here a connection with a will is dropped before its client comes again.
* A filter that is named twice in one SUBSCRIBE brings its retained messages once with ours, at the QoS that holds in
  the end, and twice with Mosquitto: no script does that.
* Whether what is sent again under another connection is marked DUP is not looked at: the application sees neither.
"""

import contextlib
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from doorward_core import mqtt
from truth.peer import Delivery, Peer

CLIENTS = ("c0", "c1", "c2")
CONTROL = "control"
BARRIER = "$control/barrier"  # no filter of a script matches it
TOPICS = ("a", "a/b", "a/b/c", "/a", "a/", "$x/y", "ä/b", "b")
FILTERS = (
    *("#", "+", "a/#", "a/+", "+/b", "a/b", "/+", "+/+", "$x/#", "+/b/#", "a/+/c", "ä/+", "b"),
    *("a/b/#", "$x/+", "/#", "+/"),
)
KINDS = {  # of step, and how often one is taken
    "publish": 30,
    "burst": 8,
    "broken": 8,
    "subscribe": 14,
    "unsubscribe": 6,
    "connect": 18,
    "disconnect": 5,
    "kill": 9,
    "deaf": 4,
}

Will = tuple[str, bytes, bool, int]


@dataclass(frozen=True, slots=True)
class Step:
    """What one client does; `given` are the arguments of the method of `Stage` that is called `do`."""

    do: str
    who: str
    given: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return f"{self.who} {self.do} {', '.join(map(repr, self.given))}".rstrip()


@dataclass
class Outcome:
    """What a step was answered, and client -> (topic, QoS then, QoS now) -> (payload, retain) in order."""

    answer: object = None
    got: dict[str, dict[tuple[str, str, int], list[tuple[bytes, bool]]]] = field(
        default_factory=dict
    )


def script(dice: random.Random, length: int, highest: int) -> list[Step]:
    """A random session, with subscriptions up to the `highest` QoS.

    What a client cannot do where it stands is left out when the session is played.
    """
    steps = [Step("connect", who, (dice.random() < 0.5, None)) for who in CLIENTS]
    steps += [Step("subscribe", who, _filters(dice, highest)) for who in CLIENTS]
    while len(steps) < length:
        who = dice.choice(CLIENTS)
        (kind,) = dice.choices(tuple(KINDS), tuple(KINDS.values()))
        steps.append(Step(kind, who, _arguments(dice, kind, len(steps), highest)))
    return steps


def _filters(dice: random.Random, highest: int) -> tuple[tuple[str, int], ...]:
    some = dice.sample(FILTERS, dice.choice((1, 1, 2, 3)))
    return tuple((topic_filter, dice.randrange(highest + 1)) for topic_filter in some)


def _arguments(dice: random.Random, kind: str, number: int, highest: int) -> tuple[Any, ...]:
    if kind == "publish":
        qos = dice.randrange(3)
        payload = b"" if dice.random() < 0.1 else _payload(number, qos)
        return (dice.choice(TOPICS), payload, qos, dice.random() < 0.3)
    if kind == "burst":
        topics = dice.sample(TOPICS, 2)
        each = [(dice.choice(topics), dice.randrange(3)) for _ in range(dice.randrange(2, 9))]
        return tuple(
            (topic, _payload(number + i / 10, qos), qos) for i, (topic, qos) in enumerate(each)
        )
    if kind == "broken":
        cut = dice.choice((None, mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBCOMP))
        qos = dice.choice((1, 2))
        return (dice.choice(TOPICS), _payload(number, qos), qos, cut)
    if kind == "subscribe":
        return _filters(dice, highest)
    if kind == "unsubscribe":
        return tuple(dice.sample(FILTERS, dice.choice((1, 2))))
    if kind == "connect":
        will = None
        if dice.random() < 0.4:
            will = (
                dice.choice(TOPICS),
                b"will %d" % number,
                dice.random() < 0.3,
                dice.randrange(3),
            )
        return (dice.random() < 0.3, will)
    return (dice.random() < 0.5,) if kind == "kill" else ()


def _payload(number: float, qos: int) -> bytes:
    return f"{number} at {qos}".encode()


class Stage:
    """The clients of one script on one broker."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._peers = {who: Peer(who) for who in CLIENTS}
        self._clean = dict.fromkeys(CLIENTS, True)
        self._has_will = dict.fromkeys(CLIENTS, False)
        self._control = Peer(CONTROL)

    async def play(self, steps: Sequence[Step]) -> list[Outcome]:
        """Start from nothing, play, and leave nothing behind."""
        await self._control.connect(self._port)
        await self._control.subscribe((BARRIER, 1))
        try:
            return [await self._played(step) for step in steps]
        finally:
            await self._forget()

    async def _played(self, step: Step) -> Outcome:
        answer = await getattr(self, f"_{step.do}")(step.who, self._peers[step.who], *step.given)
        await self._settle()
        outcome = Outcome(answer, {who: _told(peer.take()) for who, peer in self._peers.items()})
        if step.do == "broken":
            mine = outcome.got[step.who]
            outcome.got[step.who] = {key: value for key, value in mine.items() if key[-1]}
        return outcome

    async def _settle(self) -> None:
        # A will follows the end of a connection that the broker has to notice first: two round trips of another
        # client later it has, for all that was there before the first came with it out of the same poll, or before.
        for _ in range(2):
            await self._control.ping()
        # And what goes out when it is on disk: this acknowledgement waits for the disk, behind all before it.
        self._control.publish(BARRIER, b"x", 1)
        await self._control.settle()
        for _ in range(2):  # what one client releases may go to another
            for peer in self._peers.values():
                if peer.connected:
                    await peer.settle()

    async def _forget(self) -> None:
        for who, peer in self._peers.items():
            await peer.drop()
            last = Peer(who)
            await last.connect(self._port, clean=True)
            await last.disconnect()
        await self._control.ping()
        for topic in TOPICS:
            self._control.publish(topic, b"", 1, retain=True)
        await self._control.settle()
        await self._control.disconnect()

    # --- what a client does -----------------------------------------------------------------------

    async def _connect(self, who: str, peer: Peer, clean: bool, will: Will | None) -> object:
        if peer.connected and self._has_will[who]:
            await peer.drop()
            await self._settle()
        peer.acknowledges = True
        self._clean[who], self._has_will[who] = clean, will is not None
        return await peer.connect(self._port, clean=clean, will=will)

    async def _disconnect(self, _who: str, peer: Peer) -> None:
        if peer.connected:
            await peer.disconnect()

    async def _kill(self, _who: str, peer: Peer, reset: bool) -> None:
        await peer.drop(reset=reset)

    async def _deaf(self, _who: str, peer: Peer) -> None:
        """From now on it acknowledges nothing that comes in, until it comes back."""
        peer.acknowledges = False

    async def _subscribe(self, _who: str, peer: Peer, *wanted: tuple[str, int]) -> object:
        return await peer.subscribe(*wanted) if peer.connected else None

    async def _unsubscribe(self, _who: str, peer: Peer, *filters: str) -> None:
        if peer.connected:
            await peer.unsubscribe(*filters)

    async def _publish(
        self, _who: str, peer: Peer, topic: str, payload: bytes, qos: int, retain: bool
    ) -> None:
        if peer.connected:
            peer.publish(topic, payload, qos, retain=retain)

    async def _burst(self, _who: str, peer: Peer, *each: tuple[str, bytes, int]) -> None:
        if peer.connected:
            for topic, payload, qos in each:
                peer.publish(topic, payload, qos)

    async def _broken(
        self, who: str, peer: Peer, topic: str, payload: bytes, qos: int, cut: int | None
    ) -> object:
        """Publish; the link breaks at once, or where this packet would have come; come back and finish it."""
        if not peer.connected or self._clean[who] or not peer.acknowledges:
            return None
        if cut is not None:
            peer.on_packet = lambda kind: kind != cut
        peer.publish(topic, payload, qos)
        if cut is not None:
            with contextlib.suppress(EOFError):
                await peer.settle()
        await peer.drop()
        peer.on_packet = lambda _kind: True
        await self._settle()
        self._has_will[who] = False
        return await peer.connect(self._port, clean=False)


def _told(deliveries: list[Delivery]) -> dict[tuple[str, str, int], list[tuple[bytes, bool]]]:
    best: dict[tuple[str, bytes, bool], int] = {}
    for one in deliveries:
        key = (one.topic, one.payload, one.retain)
        best[key] = max(best.get(key, 0), one.qos)
    told = defaultdict(list)
    for (topic, payload, retain), qos in best.items():
        told[topic, payload[-1:].decode(), qos].append((payload, retain))
    return dict(told)
