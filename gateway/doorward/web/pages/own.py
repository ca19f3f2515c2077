"""One's own account: sessions, password, second factor, tokens."""

from typing import Annotated

import segno
from fastapi import APIRouter, Form, Path, Request
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from doorward.app.operators.accounts import SHORTEST_PASSWORD
from doorward.app.views.operators import Session
from doorward.errors import DoorwardError
from doorward.web.context import Web, WebDep
from doorward.web.pages.desk import Field, desk
from doorward.web.permission import FRESH, SIGNED_IN
from doorward.web.session import SignedIn, address_of, agent_of, remember, session_token

router = APIRouter(prefix="/account")

_ISSUER = "doorward"


def _page(
    request: Request,
    web: Web,
    session: Session,
    *,
    error: DoorwardError | None = None,
    made: str = "",
) -> HTMLResponse:
    services = web.services
    return desk(
        web,
        session,
        "own.html",
        "Your account",
        f"{session.username}, {session.role}",
        error=error,
        here="/account",
        account=services.account.show(session.username),
        sessions=services.account.sessions(session.username, session_token(request) or ""),
        tokens=services.tokens.list(session.username),
        password_min=SHORTEST_PASSWORD,
        made=made,
    )


def _back() -> RedirectResponse:
    return RedirectResponse("/account", 303)


@router.get("", dependencies=[SIGNED_IN])
def own(request: Request, web: WebDep, session: SignedIn) -> Response:
    """Show it."""
    return _page(request, web, session)


@router.post("/sessions/{session_id}/end", dependencies=[SIGNED_IN])
async def end_session(web: WebDep, session: SignedIn, session_id: str) -> Response:
    """End one of one's sessions; its open pages end with it."""
    await web.services.account.end_session(session.username, session_id)
    return _back()


@router.post("/password", dependencies=[SIGNED_IN])
async def change_password(
    request: Request,
    web: WebDep,
    session: SignedIn,
    old: Field = "",
    new: Field = "",
    revoke_tokens: Field = "",
) -> Response:
    """Take a new password; this browser gets a new session, the others are over. Tokens end when that is asked for."""
    try:
        token = await web.services.account.change_password(
            session.username, old, new, address_of(request), agent_of(request)
        )
    except DoorwardError as error:
        return _page(request, web, session, error=error)
    if revoke_tokens:
        await web.services.tokens.revoke_all(session.username, actor=session.username)
    response = _back()
    remember(request, response, token)
    return response


def _offer(web: Web, session: Session, error: DoorwardError | None = None) -> Response:
    offered = web.services.account.offer_second_factor(session.username, _ISSUER)
    picture = segno.make(offered.address, error="m").svg_inline(omitsize=True, border=0)
    return desk(
        web,
        session,
        "second_factor.html",
        "Second factor",
        "Any app for time-based codes will do.",
        error=error,
        picture=Markup(picture),  # noqa: S704 - drawn by the library, from no text of ours
        secret=offered.secret,
        codes=(),
    )


@router.get("/second-factor", dependencies=[SIGNED_IN, FRESH])
def offer_second_factor(web: WebDep, session: SignedIn) -> Response:
    """Show the secret to put into an app."""
    return _offer(web, session)


@router.post("/second-factor", dependencies=[SIGNED_IN, FRESH])
async def take_second_factor(
    request: Request, web: WebDep, session: SignedIn, code: Field = ""
) -> Response:
    """Take the first code; from now on one is asked for at every sign-in."""
    try:
        token, codes = await web.services.account.take_second_factor(
            session.username, code, address_of(request), agent_of(request)
        )
    except DoorwardError as error:
        if error.field != "code":
            raise
        return _offer(web, session, error)
    now = web.services.auth.session(token) or session
    response = desk(web, now, "second_factor.html", "Second factor", "It is set up.", codes=codes)
    remember(request, response, token)
    return response


@router.post("/second-factor/drop", dependencies=[SIGNED_IN, FRESH])
async def drop_second_factor(request: Request, web: WebDep, session: SignedIn) -> Response:
    """Do without a second factor."""
    token = await web.services.account.drop_second_factor(
        session.username, address_of(request), agent_of(request)
    )
    response = _back()
    remember(request, response, token)
    return response


@router.post("/tokens", dependencies=[SIGNED_IN, FRESH])
async def add_token(
    request: Request,
    web: WebDep,
    session: SignedIn,
    days: Annotated[int, Form(ge=1, le=3650)],
    name: Field = "",
    scopes: Annotated[list[str] | None, Form(max_length=64)] = None,
    unattended: Field = "",
) -> Response:
    """Make a token, and show it this once."""
    try:
        text, _ = await web.services.tokens.add(
            session.username,
            name,
            scopes or (),
            days,
            unattended=bool(unattended),
            actor=session.username,
        )
    except DoorwardError as error:
        return _page(request, web, session, error=error)
    return _page(request, web, session, made=text)


@router.post("/tokens/{token_id}/revoke", dependencies=[SIGNED_IN])
async def revoke_token(
    web: WebDep, session: SignedIn, token_id: Annotated[int, Path(ge=1, le=2**63 - 1)]
) -> Response:
    """Take one of one's tokens back."""
    name = session.username
    await web.services.tokens.revoke(token_id, actor=name, owner=name)
    return _back()
