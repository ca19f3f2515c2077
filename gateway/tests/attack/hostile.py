"""What somebody who owns the wire can do with messages: one hostile action at a time, chosen by a seeded die.

Actions work on what was really said (`Wire.kept`), for that is all the attacker has: no key, but every byte.
"""

import random
from collections import Counter
from collections.abc import Callable

from attack.site import BASE, Site
from attack.wire import Said
from doorward_core import seal, topic_tree, topics

_JUNK_MAX = 1400  # a little more than a board reads
_ALL_LEAVES = (*topic_tree.UP, *topic_tree.DOWN)


class Attacker:
    """`act` is one hostile action. Everything it does follows from `seed` and what it has heard so far."""

    def __init__(self, site: Site, seed: int) -> None:
        self.random = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.last: list[str] = []
        self._site = site
        self._wire = site.wire
        self._forger = seal.Keys("front", self.random.randbytes(32))
        self._actions: list[tuple[int, Callable[[], object]]] = [
            (20, self.replay),
            (25, self.alter),
            (8, self.other_leaf),
            (6, self.other_device),
            (12, self.splice),
            (12, self.graft),
            (4, self.retain),
            (6, self.forge),
            (4, self.junk),
            (2, self.will),
            (4, self.reflect),
            (2, self.elsewhere),
        ]

    def act(self) -> None:
        """Do one thing that nobody should."""
        weights = [weight for weight, _ in self._actions]
        action = self.random.choices(self._actions, weights)[0][1]
        name = action.__name__  # type: ignore[attr-defined]  # a bound method has one
        self.done[name] += 1
        self.last = [*self.last[-9:], name]
        action()

    # --- the actions ---

    def replay(self) -> None:
        """What was said once, again, as it was."""
        self._hand(self._stolen())

    def alter(self) -> None:
        """What was said, changed a little."""
        said = self._stolen()
        self._hand(said._replace(payload=self._altered(said.payload)))

    def other_leaf(self) -> None:
        """What was said on one leaf, on another."""
        self._hand(self._stolen()._replace(suffix=self.random.choice(_ALL_LEAVES)))

    def other_device(self) -> None:
        """What was said to or by one board, to or by the other."""
        said = self._stolen()
        self._hand(said._replace(device="back" if said.device == "front" else "front"))

    def reflect(self) -> None:
        """A board's words back to the board, the gateway's back to the gateway."""
        said = self._stolen()
        self._hand(said._replace(up=not said.up, suffix=self.random.choice(_ALL_LEAVES)))

    def splice(self) -> None:
        """The body of one message with the seal of another."""
        one, other = self._stolen(), self._stolen()
        body = one.payload.rpartition(b"\n")[0]
        line = other.payload.rpartition(b"\n")[2]
        self._hand(one._replace(payload=body + b"\n" + line))

    def graft(self) -> None:
        """A message with the freshness of another: the open question under an old answer."""
        one = self._stolen()
        fresh = self._wire.kept[-1 - min(len(self._wire.kept) - 1, self.random.randrange(12))]
        words = one.payload.rpartition(b"\n")[2].split(b" ")
        newer = fresh.payload.rpartition(b"\n")[2].split(b" ")
        if len(words) == len(newer) == 4:
            words[2] = newer[2]
            body = one.payload.rpartition(b"\n")[0]
            one = one._replace(payload=body + b"\n" + b" ".join(words))
        self._hand(one)

    def retain(self) -> None:
        """A copy on every leaf, as if it had been kept there."""
        said = self._stolen()
        for leaf in _ALL_LEAVES:
            self._hand(said._replace(suffix=leaf), retained=True)

    def forge(self) -> None:
        """Well-formed words under a key of the attacker's own, or under none."""
        body, leaf = self.random.choice(
            (
                (b'{"access_granted":true,"rule":10,"seconds":5}', topics.ACCESS_RESPONSE),
                (
                    b'{"command":"unlock","parameters":{"seconds":5},"command_id":"c"}',
                    topics.CONTROL,
                ),
                (b'{"command":"lock","parameters":{},"command_id":"c"}', topics.CONTROL),
                (b'{"epoch":"00000000","seq":9}', topics.EVENTS_ACK),
                (
                    b'{"utc":0,"offset_min":0,"next_change":0,"next_offset_min":0}',
                    topics.TIME_RESPONSE,
                ),
            )
        )
        kept = self._wire.kept[-1 - self.random.randrange(min(20, len(self._wire.kept)))]
        word = kept.payload.rpartition(b"\n")[2].split(b" ")[2:3] or [b"c:1"]
        try:
            payload = seal.seal(self._forger, leaf, word[0].decode(), body)
        except ValueError:
            payload = body
        self._hand(Said(False, "front", leaf, payload))

    def junk(self) -> None:
        """Bytes."""
        payload = self.random.randbytes(self.random.randrange(_JUNK_MAX))
        if self.random.random() < 0.3:
            payload = b"[" * len(payload)
        leaf = self.random.choice(_ALL_LEAVES)
        self._hand(Said(self.random.random() < 0.5, "front", leaf, payload))

    def will(self) -> None:
        """The board is gone, says somebody."""
        self._hand(Said(True, "front", topics.OFFLINE, b'{"status":"offline"}'))

    def elsewhere(self) -> None:
        """A true message under a topic that is not the board's."""
        said = self._stolen()
        topic = topics.device_topic(BASE, "frant", said.suffix)
        self._wire.send("front", "", said.payload, topic=topic)

    # --- how ---

    def _stolen(self) -> Said:
        """Anything that was said; more often than not, lately."""
        kept = self._wire.kept
        if self.random.random() < 0.5:
            return kept[-1 - self.random.randrange(min(16, len(kept)))]
        return kept[self.random.randrange(len(kept))]

    def _altered(self, payload: bytes) -> bytes:
        die = self.random
        at = die.randrange(len(payload))
        if b"false" in payload and die.random() < 0.3:
            return payload.replace(b"false", b"true")
        kind = die.randrange(6)
        if kind <= 1:
            return payload[:at] + bytes([payload[at] ^ 1 << die.randrange(8)]) + payload[at + 1 :]
        if kind == 2:
            return payload[:at]
        if kind == 3:
            return payload + die.randbytes(1 + die.randrange(40))
        if kind == 4:
            return payload[:at] + die.randbytes(1 + die.randrange(4)) + payload[at:]
        return payload.replace(b"dw1 1 ", b"dw1 %d " % die.randrange(300), 1)

    def _hand(self, said: Said, *, retained: bool | None = None) -> None:
        """To whom it may concern, sometimes as something kept, sometimes as something said before."""
        die = self.random
        marked = die.random() < 0.1 if retained is None else retained
        again = die.random() < 0.1
        if said.up:
            self._site.hand_in(
                said.device, said.suffix, said.payload, retained=marked, repeated=again
            )
        else:
            self._wire.send("front", said.suffix, said.payload, retain=marked, dup=again)
