"""Rules that change while a real board is away: what has changed comes first, and counts before the rest is there."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from attack.site import CARDS, Site
from attack.steps import let_through, question
from attack.wire import Said

from doorward.domain import audit
from doorward.domain.audit import AuditRow
from doorward_core import seal, topics

_BOARDS_OWN_S = 2.2  # after that a board has given up on an answer
_MEMBERS = 60


class Crowd(Site):
    """A front door with so many members that a file of them goes over in several pieces."""

    async def _furnish(self) -> None:
        await super()._furnish()
        store = self._open_store()
        for number in range(_MEMBERS):
            name, uid = f"member {number}", b"\x04" + number.to_bytes(6, "big")
            await store.add_person(name, ("Front",), AuditRow(0, "person.added", audit.OPERATOR))
            await store.add_card(uid, name, AuditRow(0, "card.added", audit.OPERATOR))
        await store.close()


@pytest.fixture
async def site(tmp_path: Path, cache: Path) -> AsyncIterator[Site]:
    async with Crowd(tmp_path / "site", cache) as site:
        await site.board("front")
        yield site


def pieces(site: Site) -> list[dict[str, object]]:
    """What the gateway has sent of the board's copy of the rules."""
    said = [one for one in site.wire.kept if one.suffix == topics.CACHE]
    return [json.loads(seal.split(one.payload).body) for one in said]


async def decided_alone(site: Site, card: str) -> int:
    """How often the door opens for a card while the gateway's answers do not come."""
    before = site.opened()
    await question(site, card)
    await asyncio.sleep(_BOARDS_OWN_S)
    site.boards["front"].remove()
    return site.opened() - before


def cut_off(said: Said) -> bool:
    """Nothing comes through."""
    return not said


async def test_a_card_that_was_revoked_meanwhile_is_refused_after_the_first_piece(
    site: Site,
) -> None:
    assert len(pieces(site)) > 2, "the whole takes several"
    assert await decided_alone(site, "two") == 1
    await site.walk_through()
    site.wire.passes = cut_off
    site.wire.cut("front")
    await site.cases.people.revoke_card(CARDS["two"], actor="test")
    await site.cases.people.add("new", ["Front"], actor="test")
    await site.cases.people.add_card(CARDS["stranger"], "new", actor="test")
    site.wire.kept.clear()
    let_through(site)
    site.wire.cut("front")
    await site.until(lambda: site.is_current("front"))
    [piece] = pieces(site)
    assert piece["from"] == 1, "one piece, on top of what it had"
    assert await decided_alone(site, "two") == 0
    assert await decided_alone(site, "stranger") == 1
    await site.walk_through()


async def test_a_gateway_that_was_restarted_sends_the_whole(site: Site) -> None:
    site.wire.passes = cut_off
    await site.cases.people.revoke_card(CARDS["two"], actor="test")
    await site.stop_gateway()
    await site.start_gateway()
    site.wire.kept.clear()
    let_through(site)
    site.wire.cut("front")
    await site.until(lambda: site.is_current("front"))
    assert len(pieces(site)) > 2
    assert await decided_alone(site, "two") == 0
