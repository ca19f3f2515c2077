"""Who may sign in, and as what: for whoever keeps the operators."""

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from doorward.app.operators.accounts import SHORTEST_PASSWORD
from doorward.app.views.operators import Session
from doorward.domain.permissions import OPERATORS_EDIT
from doorward.errors import DoorwardError
from doorward.web.context import Web, WebDep
from doorward.web.pages.desk import Field, desk
from doorward.web.permission import FRESH, needs
from doorward.web.session import SignedIn

router = APIRouter(prefix="/operators")

_CHANGE = [needs(OPERATORS_EDIT), FRESH]


def _page(web: Web, session: Session, error: DoorwardError | None = None) -> Response:
    return desk(
        web,
        session,
        "operators.html",
        "Operators",
        "Who may sign in, and what they may do then.",
        error=error,
        here="/operators",
        operators=web.services.operators.list(),
        roles=web.services.operators.roles(),
        password_min=SHORTEST_PASSWORD,
    )


def _back() -> Response:
    return RedirectResponse("/operators", 303)


@router.get("", dependencies=[needs(OPERATORS_EDIT)])
def operators(web: WebDep, session: SignedIn) -> Response:
    """Show everybody, and what the roles may do."""
    return _page(web, session)


@router.post("", dependencies=_CHANGE)
async def add_operator(
    web: WebDep, session: SignedIn, username: Field = "", password: Field = "", role: Field = ""
) -> Response:
    """Add somebody."""
    try:
        await web.services.operators.add(username, password, role, actor=session.username)
    except DoorwardError as error:
        return _page(web, session, error)
    return _back()


@router.post("/role", dependencies=_CHANGE)
async def set_role(
    web: WebDep, session: SignedIn, username: Field = "", role: Field = ""
) -> Response:
    """Give somebody another role; their sessions end."""
    try:
        await web.services.operators.set_role(username, role, actor=session.username)
    except DoorwardError as error:
        return _page(web, session, error)
    return _back()


@router.post("/unlock", dependencies=_CHANGE)
async def unlock(web: WebDep, session: SignedIn, username: Field = "") -> Response:
    """Let somebody try again who failed too often."""
    await web.services.operators.unlock(username, actor=session.username)
    return _back()
