"""The page of the people: who has what, and who is given a code for keypads, or loses it."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from doorward.app.views.access import Person
from doorward.domain.permissions import PEOPLE_EDIT, PEOPLE_SEE
from doorward.errors import DoorwardError, InvalidInput, NotFound
from doorward.web.context import WebDep
from doorward.web.errors import sentence, status_of
from doorward.web.pages.desk import Field
from doorward.web.permission import FRESH, needs
from doorward.web.session import SignedIn
from doorward_core.codes import LONGEST, SHORTEST

router = APIRouter(prefix="/people")

_CHANGE = [needs(PEOPLE_EDIT), FRESH]


class _Told(NamedTuple):
    """What came of a change, for the one it is about. made: a code to be shown once."""

    about: str = ""
    made: str = ""
    said: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Visit:
    """Somebody at the page, who may change something."""

    request: Request
    web: WebDep
    session: SignedIn

    async def change(self, person: str, work: Callable[[], Awaitable[_Told]]) -> Response:
        """Have it done, and say what came of it where that person stands.

        A code that was made is in this answer alone, which nobody keeps.
        """
        status = 200
        try:
            told = await work()
        except NotFound:
            raise
        except DoorwardError as error:
            told, status = _Told(person, problem=sentence(error)), status_of(error)
        people = await self.web.services.people.list()
        if "hx-request" not in self.request.headers:
            if told.said:
                return RedirectResponse("/people", 303)
            return HTMLResponse(self._drawn("people.html", told, people=people), status)
        found = next((one for one in people if one.name == told.about), None)
        if found is None:
            raise NotFound(f"there is no person {person!r}", "load the page anew", field="person")
        return HTMLResponse(self._drawn("parts/person.html", told, person=found), status)

    def page(self, people: tuple[Person, ...]) -> Response:
        """All of them."""
        return HTMLResponse(self._drawn("people.html", _Told(), people=people))

    def _drawn(self, template: str, told: _Told, **values: object) -> str:
        return self.web.renderer(
            template,
            session=self.session,
            site=self.web.services.site,
            may_edit=self.session.may(PEOPLE_EDIT),
            shortest=SHORTEST,
            longest=LONGEST,
            **told._asdict(),
            **values,
        )


VisitDep = Annotated[_Visit, Depends()]


@router.get("", dependencies=[needs(PEOPLE_SEE)])
async def people(visit: VisitDep) -> Response:
    """Show everybody."""
    return visit.page(await visit.web.services.people.list())


@router.post("/codes", dependencies=_CHANGE)
async def add_code(
    visit: VisitDep, person: Field = "", code: Field = "", again: Field = "", how: Field = "typed"
) -> Response:
    """Give somebody a code: typed twice, or made and shown once."""

    async def give() -> _Told:
        if how != "made" and not secrets.compare_digest(code.encode(), again.encode()):
            raise InvalidInput("the two are not the same", "type the code twice", field="again")
        chosen = None if how == "made" else code
        card, digits = await visit.web.services.people.add_code(
            person, chosen, actor=visit.session.username
        )
        if chosen is None:
            return _Told(card.person, made=digits)
        return _Told(card.person, said="The code holds from now on.")

    return await visit.change(person, give)


@router.post("/codes/revoke", dependencies=_CHANGE)
async def revoke_codes(visit: VisitDep, person: Field = "") -> Response:
    """Take all codes of somebody away, for good."""

    async def take() -> _Told:
        taken = await visit.web.services.people.revoke_codes(person, actor=visit.session.username)
        return _Told(taken[0].person, said="No keypad takes their codes any more.")

    return await visit.change(person, take)
