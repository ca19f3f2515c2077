"""What a broker promised to a publisher, and whether it kept its word."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from broker_support import GATEWAY, topic

from doorward_core import mqtt, topics
from truth.peer import Delivery, Peer

EVENTS = topic("front", topics.EVENTS)
REPORTED = topic("front", topics.REPORTED)


class Sent(NamedTuple):
    """A publish of the board; retained ones go to REPORTED, the others to EVENTS. Payloads are rising numbers."""

    payload: bytes
    qos: int
    retain: bool

    @classmethod
    def any(cls, payload: bytes, dice: random.Random) -> "Sent":
        """At QoS 1 or 2, some of them retained.

        Those at QoS 1 alone: sent again after a kill it is published again, and would come behind what is known at
        QoS 2 and is not; order is promised within one QoS (4.6).
        """
        retain = dice.random() < 0.2
        return cls(payload, 1 if retain else dice.choice((1, 2)), retain)

    def by(self, peer: Peer) -> None:
        """Publish it."""
        peer.publish(self.where, self.payload, self.qos, retain=self.retain)

    @property
    def where(self) -> str:
        return REPORTED if self.retain else EVENTS


class Found(NamedTuple):
    """What waited for the gateway, in order, and what a new subscriber to REPORTED is given."""

    queued: list[bytes]
    retained: list[bytes]
    gone: list[str]  # whose session is not there any more


async def leave_a_session(port: int) -> None:
    """The gateway subscribes at QoS 2 and goes away: everything waits for it from now on."""
    gateway = Peer(GATEWAY)
    await gateway.connect(port)
    await gateway.subscribe((EVENTS, 2), (REPORTED, 2))
    await gateway.drop()


async def look(port: int, front: Peer) -> Found:
    """Let the board finish what it began, as it does on every return, then let the gateway come back."""
    front.on_packet = lambda _kind: True
    gateway = Peer(GATEWAY)
    gone = []
    for peer in (front, gateway):
        present, code = await peer.connect(port)
        assert code == mqtt.ACCEPTED
        gone += [peer.name] * (not present)
        await peer.settle()
    # Should even that be lost: what ends the queue has to arrive.
    await gateway.subscribe((EVENTS, 2))
    queued = await _all_until(b"end of the queue", front, gateway)
    await gateway.subscribe((REPORTED, 1))
    retained = await _all_until(b"end of what is retained", front, gateway)
    for peer in (front, gateway):
        await peer.disconnect()
    return Found(
        [one.payload for one in queued], [one.payload for one in retained if one.retain], gone
    )


async def _all_until(end: bytes, front: Peer, gateway: Peer) -> list[Delivery]:
    """What comes before this message: a ping may be answered before what waits for the disk goes out."""
    front.publish(EVENTS, end, 2)
    await front.settle()
    front.promised.remove(end)
    await gateway.received(end)
    return [one for one in gateway.take() if one.payload != end]


def broken(sent: Sequence[Sent], promised: Sequence[bytes], found: Found) -> list[str]:
    """How the broker broke its word; `promised` are the payloads that it acknowledged."""
    times = Counter(found.queued)
    told = [f"the session of {name} is gone" for name in found.gone]
    if lost := [payload for payload in promised if not times[payload]]:
        told.append(f"acknowledged and lost: {_names(lost)}")
    if doubled := [one.payload for one in sent if one.qos == 2 and times[one.payload] > 1]:
        told.append(f"QoS 2 and twice: {_names(doubled)}")
    states = [one.payload for one in sent if one.retain]
    last = max((i for i, state in enumerate(states) if state in set(promised)), default=-1)
    if last >= 0 and not (len(found.retained) == 1 and states.index(found.retained[0]) >= last):
        kept, due = _names(found.retained), _names([states[last]])
        told.append(f"retained is {kept}, acknowledged was {due}")
    firsts = [_number(one) for one in dict.fromkeys(found.queued) if one in set(promised)]
    if firsts != sorted(firsts):
        told.append("not in the order of the publishes")
    return told


def _number(payload: bytes) -> int:
    return int(payload.split()[0])


def _names(payloads: Sequence[bytes]) -> list[int]:
    return [_number(payload) for payload in payloads]
