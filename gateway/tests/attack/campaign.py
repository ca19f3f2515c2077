"""Thousands of hostile rounds with legitimate taps and releases among them, and the sum at the end.

The seed repeats the attacker's choices to the last die; what runs at the same time is the machine's own.
"""

import asyncio
from collections.abc import Callable

from attack.hostile import Attacker
from attack.secrecy import spellings_found
from attack.site import CARDS, Site
from attack.wire import Said
from doorward.app.access.releases import TTL_S
from doorward.domain import audit
from doorward_core import topics

_RESET_EVERY = 700  # rounds
_WRITTEN_S = 2.0  # in that time a board writes down what it has noted
_BOARDS_OWN_S = 2.2  # after that a board has given up on an answer
_ALL_LOOKED_AT = 4  # refusals in a row after which the reader still looks at any card


class Campaign:
    """`await run(rounds)` raises AssertionError, with the seed and the last actions, for whatever must not be."""

    def __init__(
        self, site: Site, seed: int, progress: Callable[[int], None] = lambda _rounds: None
    ) -> None:
        self.site = site
        self.seed = seed
        self.attacker = Attacker(site, seed)
        self.legitimate = 0
        self.taps = 0
        self.releases = 0
        self._progress = progress
        self._die = self.attacker.random
        self._resets = 0
        self._requests = 0
        self._refused = 0  # in a row
        self._next_reset = _RESET_EVERY
        site.wire.listeners.append(self._count)

    @property
    def rounds(self) -> int:
        return self.attacker.done.total()

    async def run(self, rounds: int) -> None:
        """So many rounds, and then everything is looked at."""
        await self._legitimate_tap(0)
        assert self.site.opened() == 1, "positive control: this harness can open the door"
        scenes = (
            (4, self._idle),
            (4, self._tap),
            (3, self._stranger),
            (2, self._release),
            (1, self._darkness),
        )
        try:
            while self.rounds < rounds:
                scene = self._die.choices(scenes, [weight for weight, _ in scenes])[0][1]
                await scene()
                if self.rounds >= self._next_reset:
                    self._next_reset += _RESET_EVERY
                    await self._reset()
                self._check()
                self._progress(self.rounds)
            await self._afterwards()
        except (AssertionError, TimeoutError) as failure:
            failure.add_note(
                f"seed {self.seed}, round {self.rounds}, last actions: {self.attacker.last}"
            )
            raise

    # --- scenes ---

    async def _idle(self) -> None:
        await self._barrage(20, 60)

    async def _tap(self) -> None:
        """A member's tap whose answer is held back, while everything else is thrown at the board."""
        await self._legitimate_tap(self._die.randrange(4))
        await self._barrage(2, 8)

    async def _legitimate_tap(self, course: int) -> None:
        site, wire = self.site, self.site.wire
        card = ("one", "two")[self.taps % 2]
        self.taps += 1
        self.legitimate += 1
        wire.passes = lambda said: said.up or said.suffix != topics.ACCESS_RESPONSE
        before = self._requests
        site.boards["front"].present(CARDS[card])
        await site.until(lambda: self._requests > before)
        if self.rounds or course:
            await self._barrage(3, 15)
        # 0: in time; 1: twice; 2: after the board has decided by itself; 3: never.
        if course in (0, 1):
            self._deliver(topics.ACCESS_RESPONSE, times=1 + course)
        await site.until(lambda: site.opened() >= self.legitimate)
        if course == 2:
            self._deliver(topics.ACCESS_RESPONSE)
        self._let_through()
        self._refused = 0
        site.boards["front"].remove()
        await site.walk_through()

    async def _stranger(self) -> None:
        """A card that may not pass. Its denial is held back, turned round, replaced, and lost.

        Another one each time, and never so many in a row that the reader's back-off would spare them the attack.
        """
        if self._refused == _ALL_LOOKED_AT:
            await self._legitimate_tap(0)
        self._refused += 1
        site, wire = self.site, self.site.wire
        wire.passes = lambda said: said.up or said.suffix != topics.ACCESS_RESPONSE
        before = self._requests
        site.boards["front"].present(b"\x04" + self._die.randbytes(6))
        await site.until(lambda: self._requests > before)
        await self._barrage(5, 30)
        if self._die.random() < 0.85:
            self._deliver(topics.ACCESS_RESPONSE)
        else:
            await asyncio.sleep(_BOARDS_OWN_S)
        self._let_through()
        await self._barrage(2, 8)
        site.boards["front"].remove()
        await asyncio.sleep(0.1)

    async def _release(self) -> None:
        """A release from afar; a first command may get lost, the next one comes through."""
        await self._legitimate_tap(
            0
        )  # what is forged about the board's presence is mended by its next word
        site, wire = self.site, self.site.wire
        for lost in (True, False) if self._die.random() < 0.3 else (False,):
            site.clock.advance(TTL_S + 1)
            wire.passes = lambda said: not _unlocks(said)
            await site.cases.releases.open("front", "attack")
            await site.until(lambda: any(_unlocks(said) for said in wire.withheld))
            if lost:
                wire.withheld.clear()
                continue
            self.legitimate += 1
            self.releases += 1
            await self._barrage(3, 15)
            self._deliver(topics.CONTROL, times=self._die.randint(1, 2))
            await site.until(lambda: site.opened() >= self.legitimate)
        self._let_through()
        await self._barrage(2, 8)
        await site.walk_through()

    async def _darkness(self) -> None:
        """The log is held back for a while, then comes in any order, some of it changed, some of it twice."""
        wire = self.site.wire
        wire.passes = lambda said: said.suffix not in (topics.EVENTS, topics.EVENTS_ACK)
        await self._barrage(5, 20)
        await asyncio.sleep(0.1)
        held = [*wire.take_withheld(topics.EVENTS), *wire.take_withheld(topics.EVENTS_ACK)]
        self._let_through()
        self._die.shuffle(held)
        for said in held:
            for _ in range(self._die.randint(0, 2)):
                wire.deliver(said)
        await self._barrage(5, 20)

    async def _reset(self) -> None:
        """The board starts again, and hears everything of its former life."""
        site = self.site
        self._resets += 1
        await asyncio.sleep(_WRITTEN_S)  # what is only noted goes with the power
        site.lock.pop("front", None)
        site.boards["front"].reset()
        await site.until(lambda: "front" in site.lock)
        for _ in range(50):
            self.attacker.replay()
            self.attacker.done["replay"] += 1
        await site.wire.drained("front")

    # --- steps ---

    async def _barrage(self, least: int, most: int) -> None:
        for _ in range(self._die.randint(least, most)):
            self.attacker.act()
        await self.site.wire.drained("front")

    def _deliver(self, suffix: str, times: int = 1) -> None:
        for said in self.site.wire.take_withheld(suffix):
            for _ in range(times):
                self.site.wire.deliver(said)

    def _let_through(self) -> None:
        self.site.wire.passes = lambda _said: True
        self.site.wire.withheld.clear()

    def _count(self, said: Said) -> None:
        self._requests += (
            said.up and said.device == "front" and said.suffix == topics.ACCESS_REQUEST
        )

    # --- what must be ---

    def _check(self) -> None:
        assert self.site.opened() == self.legitimate
        starts = len(self.site.boards["front"].starts)
        assert starts == 1 + self._resets, "the board did not survive"

    async def _afterwards(self) -> None:
        self._let_through()
        await self._legitimate_tap(0)
        await self._everything_on_record()
        found = spellings_found(bytes(self.site.wire.bytes_said), CARDS.values())
        assert not found, f"card numbers can be read: {found}"
        self._check()

    async def _everything_on_record(self) -> None:
        """What the board wrote is what is stored: every entry, in its order, to the byte. And one row a tap."""
        site = self.site
        await asyncio.sleep(_WRITTEN_S)
        site.newest.pop("front")
        site.wire.cut(
            "front"
        )  # so that it says how far its log goes, and sends again what got lost
        await site.until(self._all_stored, 60)
        for (device, epoch, seq), body in list(site.log.items()):
            kept = await site.stored(device, epoch, seq)
            assert kept is not None, f"event {epoch}.{seq} is missing"
            assert seq == 1 or (device, epoch, seq - 1) in site.log, "an event was never said"
            assert kept.body == body, f"event {epoch}.{seq} was altered"
        rows = await site.rows()
        granted = [row for row in rows if row.kind == audit.ACCESS_DECISION and row.granted]
        assert len(granted) == self.taps, "a row for every legitimate tap, and for no other"
        released = [row for row in rows if row.kind == "lock.changed"]
        assert len(released) == self.releases, f"{len(released)} rows, {self.releases} releases"

    def _all_stored(self) -> bool:
        newest = self.site.newest.get("front")
        head = self.site.cases.events.head("front")
        return newest is not None and head is not None and head.seq >= newest


def _unlocks(said: Said) -> bool:
    return not said.up and said.suffix == topics.CONTROL and b'"command":"unlock"' in said.payload
