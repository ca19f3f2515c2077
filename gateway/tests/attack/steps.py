"""What attacks are made of: words that are withheld or come late, and what the relay says then."""

import asyncio
from collections.abc import Iterable

from attack.site import CARDS, Site
from attack.wire import Said
from doorward.app.access.releases import TTL_S
from doorward_core import gateway_seal
from doorward_core.topics import ACCESS_REQUEST, ACCESS_RESPONSE, CONFIG, CONTROL

_AT_ONCE = 8  # messages that a board is given before it has acknowledged the first


class Breached(AssertionError):
    """The attack has worked."""


def expect(condition: bool, breach: str) -> None:
    """Raise Breached unless the condition holds."""
    if not condition:
        raise Breached(breach)


def unlocks(said: Said) -> bool:
    """Whether this is the command that releases a door."""
    return not said.up and said.suffix == CONTROL and b'"command":"unlock"' in said.payload


async def closed(site: Site, opened: int, breach: str) -> None:
    """The board has worked everything off, and the door was opened only so often."""
    await site.wire.drained("front")
    await asyncio.sleep(0.15)
    expect(site.opened() == opened, breach)


async def question(site: Site, card: str, name: str = "front") -> Said:
    """A card is held before the reader; returns the request, to which no answer comes yet."""
    site.wire.passes = lambda said: said.up or said.suffix != ACCESS_RESPONSE
    known = len(site.wire.withheld)
    site.boards[name].present(CARDS[card])
    await site.until(lambda: len(site.wire.withheld) > known)
    return [said for said in site.wire.kept if said.suffix == ACCESS_REQUEST][-1]


async def asked_to_open(site: Site) -> Said:
    """Somebody releases the door; returns the command, which does not come through."""
    site.clock.advance(TTL_S + 1)
    site.wire.passes = lambda said: not unlocks(said)
    site.wire.withheld.clear()
    await site.cases.releases.open("front", "attack")
    await site.until(lambda: bool(site.wire.withheld))
    return site.wire.withheld[0]


async def release(site: Site) -> Said:
    """A release that works; returns its command."""
    before = site.opened()
    command = await asked_to_open(site)
    let_through(site)
    site.wire.deliver(command)
    await site.until(lambda: site.opened() == before + 1)
    await site.walk_through()
    return command


def let_through(site: Site) -> None:
    """The wire is honest from here on."""
    site.wire.passes = lambda _said: True
    site.wire.withheld.clear()


def last(site: Site, suffix: str) -> Said:
    """What was said last on one leaf."""
    return [said for said in site.wire.kept if said.suffix == suffix][-1]


async def unknown_to_the_board(site: Site) -> None:
    """The stranger is somebody from now on, of whom the board's own records do not know."""
    site.wire.passes = lambda said: said.suffix != CONFIG
    await site.cases.people.add("stranger", ("Front",), actor="test")
    await site.cases.people.add_card(CARDS["stranger"], "stranger", actor="test")
    site.wire.withheld.clear()


def sealed(site: Site, suffix: str, number: int, body: bytes) -> Said:
    """What only a thief of the board's own key can say, under a counter of his choice."""
    word = gateway_seal.counter_word(number)
    return Said(False, "front", suffix, site.signer.seal("front", suffix, word, body))


async def flood(site: Site, messages: Iterable[Said], spread: int | None) -> None:
    """Give the board all of that as fast as it takes it. A member passes meanwhile, and no memory stays behind.

    spread: by how many bytes the heap may differ before and after; None where it is at work before or after.
    """
    board = site.boards["front"]
    before = (await board.heap()).alloc if spread is not None else 0
    tapping = asyncio.ensure_future(site.tap("one"))
    for at, said in enumerate(messages):
        site.wire.deliver(said)
        if at % _AT_ONCE == 0:
            await site.wire.drained("front")
    await site.wire.drained("front")
    await tapping
    if spread is not None:
        await asyncio.sleep(0.2)
        after = (await board.heap()).alloc
        expect(after <= before + spread, f"{after - before} bytes of heap stay")
