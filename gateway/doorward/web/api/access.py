"""The rules, asked instead of lived."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from doorward.app.views.access import Explanation
from doorward.domain.credentials import parse_uid
from doorward.domain.permissions import POLICY_ASK
from doorward.errors import InvalidInput
from doorward.web.api.shapes.access import WhyAnswer, WhyOrder
from doorward.web.context import Web, WebDep
from doorward.web.permission import needs

router = APIRouter(tags=["access"])

Named = Annotated[str | None, Query(min_length=1, max_length=128)]


@router.get("/why", response_model=WhyAnswer, dependencies=[needs(POLICY_ASK)])
async def why(
    web: WebDep, door: str, card: Named = None, person: Named = None, at: datetime | None = None
) -> Explanation:
    """Tell what would happen, and by which rule. Without a zone `at` is the door's local time.

    The card is named by its number, on a virtual site also by its key there. With `person` it is theirs; then `card` is
    needed only to choose among several, by its last digits.
    """
    return web.services.access.why(_card(web, card, person), door, at)


@router.post("/why", response_model=WhyAnswer, dependencies=[needs(POLICY_ASK)])
async def why_code(web: WebDep, order: WhyOrder) -> Explanation:
    """Tell what would happen with a code, and by which rule. Whoever guesses waits as at a keypad."""
    return web.services.access.why_code(order.code, order.door, order.at)


def _card(web: Web, card: str | None, person: str | None) -> bytes:
    if person is not None:
        return web.services.access.card_of(person, card)
    if card is None:
        raise InvalidInput("it is not said whose card", "give card or person", field="card")
    site = web.services.site
    return site.number(card) if site else parse_uid(card, "card")
