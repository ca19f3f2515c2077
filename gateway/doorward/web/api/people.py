"""People, their cards and their access levels. A change acts at once."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, status

from doorward.app.views.access import Card, Level, Person
from doorward.domain.permissions import PEOPLE_EDIT, PEOPLE_SEE
from doorward.web.api.shapes.access import (
    CardAnswer,
    CardOrder,
    CodeAnswer,
    CodeOrder,
    DatesOrder,
    LevelAnswer,
    PersonAnswer,
    PersonOrder,
    RevokeCodesOrder,
    RevokeOrder,
)
from doorward.web.context import WebDep
from doorward.web.permission import needs
from doorward.web.session import Actor

router = APIRouter(tags=["people"])


@router.get("/people", response_model=list[PersonAnswer], dependencies=[needs(PEOPLE_SEE)])
async def list_people(web: WebDep) -> tuple[Person, ...]:
    """List the people with their cards."""
    return await web.services.people.list()


@router.post(
    "/people",
    response_model=PersonAnswer,
    status_code=status.HTTP_201_CREATED,
    dependencies=[needs(PEOPLE_EDIT)],
)
async def add_person(web: WebDep, who: Actor, order: PersonOrder) -> Person:
    """Add a person."""
    return await web.services.people.add(
        order.name,
        order.levels,
        valid_from=order.valid_from,
        valid_until=order.valid_until,
        actor=who,
    )


@router.post("/people/dates", response_model=PersonAnswer, dependencies=[needs(PEOPLE_EDIT)])
async def set_dates(web: WebDep, who: Actor, order: DatesOrder) -> Person:
    """Say between which days a person may pass."""
    return await web.services.people.set_dates(
        order.person, order.valid_from, order.valid_until, actor=who
    )


@router.post(
    "/cards",
    response_model=CardAnswer,
    status_code=status.HTTP_201_CREATED,
    dependencies=[needs(PEOPLE_EDIT)],
)
async def add_card(web: WebDep, who: Actor, order: CardOrder) -> Card:
    """Give a card to a person."""
    return await web.services.people.add_card(bytes.fromhex(order.uid), order.person, actor=who)


@router.post("/cards/revoke", response_model=CardAnswer, dependencies=[needs(PEOPLE_EDIT)])
async def revoke_card(web: WebDep, who: Actor, order: RevokeOrder) -> Card:
    """Take a card away. Its number stays in the store, so that nobody gets it by mistake."""
    return await web.services.people.revoke_card(bytes.fromhex(order.uid), actor=who)


@router.post(
    "/codes",
    response_model=CodeAnswer,
    status_code=status.HTTP_201_CREATED,
    dependencies=[needs(PEOPLE_EDIT)],
)
async def add_code(web: WebDep, who: Actor, order: CodeOrder) -> dict[str, Any]:
    """Give a code to a person, to be typed at a keypad. One that was made here is told this once."""
    card, digits = await web.services.people.add_code(order.person, order.code, actor=who)
    return {**asdict(card), "code": digits if order.code is None else None}


@router.post("/codes/revoke", response_model=list[CardAnswer], dependencies=[needs(PEOPLE_EDIT)])
async def revoke_codes(web: WebDep, who: Actor, order: RevokeCodesOrder) -> tuple[Card, ...]:
    """Take all codes of a person away. Nobody can have them again."""
    return await web.services.people.revoke_codes(order.person, actor=who)


@router.get("/levels", response_model=list[LevelAnswer], dependencies=[needs(PEOPLE_SEE)])
async def list_levels(web: WebDep) -> tuple[Level, ...]:
    """List the access levels."""
    return await web.services.people.levels()
