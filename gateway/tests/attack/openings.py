"""Attacks that would open a door: with answers and commands that were good once, or for somebody else."""

import asyncio

from attack.site import CARDS, Site
from attack.steps import (
    asked_to_open,
    closed,
    expect,
    last,
    question,
    release,
    unknown_to_the_board,
)
from doorward_core import topics
from doorward_core.topics import ACCESS_REQUEST, ACCESS_RESPONSE, CONFIG, CONTROL

NONCE_S = 5.0  # how long a board keeps a question open
GIVE_UP_S = 2.2  # after that a board has given up on an answer
_ATTEMPTS = 3


async def answer_again(site: Site) -> None:
    """The answer to a tap, and the command of a release, are given once more within their time."""
    await site.board("front")
    await site.tap("one")
    answer = last(site, ACCESS_RESPONSE)
    for _ in range(3):
        site.wire.deliver(answer)
    await closed(site, 1, "an answer opened twice")
    command = await release(site)
    site.wire.deliver(command)
    await closed(site, 2, "a release opened twice")


async def old_grant(site: Site) -> None:
    """While a stranger waits: an older grant as it was, and under the stranger's own nonce."""
    await site.board("front")
    await site.tap("one")
    grant = last(site, ACCESS_RESPONSE)
    asked = await question(site, "stranger")
    site.wire.deliver(grant)
    await closed(site, 1, "an old grant opened for a stranger")
    old, new = (said.payload.rpartition(b"\n")[2].split(b" ")[2] for said in (grant, asked))
    site.wire.deliver(grant._replace(payload=grant.payload.replace(old, new)))
    await closed(site, 1, "an old grant under a new nonce opened for a stranger")


async def turned_round(site: Site) -> None:
    """Every bit of a true answer is changed once; only the true one opens."""
    await site.board("front")
    await unknown_to_the_board(site)
    await question(site, "stranger")
    [answer] = site.wire.withheld
    for at in range(len(answer.payload)):
        changed = bytearray(answer.payload)
        changed[at] ^= 1 << at % 8
        site.wire.deliver(answer._replace(payload=bytes(changed)))
    later = answer.payload.replace(b"\ndw1 1 ", b"\ndw1 2 ")
    site.wire.deliver(answer._replace(payload=later))
    await closed(site, 0, "an answer that was changed on its way opened")
    site.wire.deliver(answer)
    await site.until(lambda: site.opened() == 1)


async def old_release(site: Site) -> None:
    """An earlier release's command, without and with a new challenge."""
    await site.board("front")
    await site.tap("one")
    old = await release(site)
    site.wire.deliver(old)
    await closed(site, 2, "an old release opened")
    await asked_to_open(site)
    site.wire.deliver(old)
    await closed(site, 2, "an old release opened in the place of a new one")


async def old_challenge(site: Site) -> None:
    """An earlier challenge comes again between a board's offer and the command: the release works all the same."""
    await site.board("front")
    await site.tap("one")
    site.wire.kept.clear()
    await release(site)
    challenge = next(said for said in site.wire.kept if said.suffix == CONTROL)
    command = await asked_to_open(site)
    site.wire.deliver(challenge)
    await site.wire.drained("front")
    site.wire.deliver(command)
    await site.wire.drained("front")
    await asyncio.sleep(0.15)
    expect(site.opened() == 3, "an old challenge undid a new one")


async def foreign_door(site: Site) -> None:
    """A card that may pass at the back door is held before the front one; the gateway is told that it was the back."""
    await site.board("front")
    await site.tap("one")
    site.wire.passes = lambda said: said.suffix not in (ACCESS_REQUEST, ACCESS_RESPONSE)
    site.wire.withheld.clear()
    site.boards["front"].present(CARDS["back"])
    await site.until(lambda: bool(site.wire.withheld))
    asked = site.wire.withheld.pop()
    site.hand_in("back", ACCESS_REQUEST, asked.payload)
    for said in site.wire.withheld:
        site.wire.deliver(said._replace(device="front"))
    await closed(site, 1, "the front door opened with the answer for the back one")


async def old_rules(site: Site) -> None:
    """A card is revoked. The records from before come again, and the gateway is not there to ask."""
    await site.board("front")
    await site.tap("one")
    old = [said for said in site.wire.kept if said.suffix in (CONFIG, topics.CACHE)]
    await site.cases.people.revoke_card(CARDS["one"], actor="test")
    await site.until(lambda: site.is_current("front"))
    for _ in range(5):
        for said in old:
            site.wire.deliver(said)
        await site.wire.drained("front")
        await asyncio.sleep(0.2)
    await question(site, "one")
    await asyncio.sleep(GIVE_UP_S)
    expect(site.opened() == 1, "a revoked card opened by records from before")


async def held_back(site: Site) -> None:
    """A good release is held until a tenth of a second before its time is up, and one until a tenth after."""
    await site.board("front")
    for _ in range(_ATTEMPTS):
        # A busy machine may take longer than that tenth; it is given another chance to be in time.
        await _held_for(site, NONCE_S - 0.1)
        await site.wire.drained("front")
        await asyncio.sleep(0.15)
        if site.opened():
            break
    assert site.opened() == 1, "positive control: a release within its time opens"
    await site.walk_through()
    await _held_for(site, NONCE_S + 0.1)
    await closed(site, 1, "a release opened after its time")


async def _held_for(site: Site, seconds: float) -> None:
    if not site.cases.states.get("front").online:
        await site.tap("one")
    command = await asked_to_open(site)
    await asyncio.sleep(seconds)
    site.wire.deliver(command)
