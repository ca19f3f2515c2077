"""The live page: the doors, what happens, and the open button."""

import html
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from doorward.app.lighting.lights import LightOrder
from doorward.app.services.site import Site
from doorward.app.views.operators import Session
from doorward.domain.permissions import DEVICES_EDIT, DOORS_OPEN, DOORS_SEE, LIGHTS_SET
from doorward.errors import DoorwardError, InvalidInput, NotFound, Unavailable
from doorward.web import looks
from doorward.web.context import Web, WebDep
from doorward.web.errors import status_of
from doorward.web.pages.pushes import Pushes, recent_events
from doorward.web.permission import FRESH, doors_seen_by, needs, seen_by
from doorward.web.session import SignedIn, session_token
from doorward.web.stream import Position

router = APIRouter()


@router.get("/", dependencies=[needs(DOORS_SEE)])
async def live(web: WebDep, session: SignedIn) -> HTMLResponse:
    """Show everything that this role may see, and where in the stream it stands."""
    position = Position(web.epoch, web.services.feed.position)  # first: what comes later is pushed
    events = await recent_events(web, session)
    doors = doors_seen_by(session.permissions, web.services.doors)
    site = web.services.site if session.may(DEVICES_EDIT) else None
    page = web.renderer(
        "live.html",
        session=session,
        position=position,
        seen=events[0].id if events else 0,
        events=events,
        doors=doors,
        summary=looks.summary(doors),
        lights=web.services.lights.list(),
        sensors=web.services.sensors.sensors(),
        site=await _on_the_table(site) if site else None,
    )
    return HTMLResponse(page)


async def _on_the_table(site: Site) -> dict[str, object]:
    """What the panel of the virtual site shows. The doors do not depend on it."""
    try:
        boards = await site.boards()
    except Unavailable:
        boards = ()
    return {"cards": site.cards(), "boards": boards}


@router.post("/doors/{door}/open", dependencies=[needs(DOORS_OPEN), FRESH])
async def open_door(request: Request, web: WebDep, session: SignedIn, door: str) -> Response:
    """Ask the board to open once."""
    return await _asked(web.services.releases.open, request, web, session, door)


@router.post("/vaults/{vault}/release", dependencies=[needs(DOORS_OPEN), FRESH])
async def end_lockout(request: Request, web: WebDep, session: SignedIn, vault: str) -> Response:
    """Ask a vault's board to let people try again."""
    return await _asked(web.services.releases.end_lockout, request, web, session, vault)


@router.post("/doors/{door}/end-wait", dependencies=[needs(DOORS_OPEN), FRESH])
async def end_wait(request: Request, web: WebDep, session: SignedIn, door: str) -> Response:
    """Ask a door's board to look at codes again."""
    return await _asked(web.services.releases.end_wait, request, web, session, door)


async def _asked(
    ask: Callable[[str, str], Awaitable[object]],
    request: Request,
    web: Web,
    session: Session,
    door: str,
) -> Response:
    """Ask a board for a release. How that went is told by the stream alone, so that nothing stale overtakes it."""
    from_script = "hx-request" in request.headers
    try:
        await ask(door, session.username)
    except NotFound:
        raise
    except DoorwardError as error:
        if not from_script:
            raise
        view = seen_by(session, web.services.doors.get(door))
        part = web.renderer("parts/open.html", door=view, session=session, problem=error.message)
        return HTMLResponse(part, status_of(error))
    return Response(status_code=204) if from_script else RedirectResponse("/", 303)


Whole = Annotated[str, Form(max_length=8)]


@router.post("/lights/{light}", dependencies=[needs(LIGHTS_SET)])
async def set_light(
    request: Request,
    web: WebDep,
    session: SignedIn,
    light: str,
    level: Whole,
    kelvin: Whole = "",
) -> Response:
    """Set a lamp. What it shows then is told by the stream."""
    try:
        order = LightOrder(_whole("level", level), _whole("kelvin", kelvin) if kelvin else None)
        await web.services.lights.set(light, order, actor=session.username)
    except DoorwardError as error:
        if "hx-request" not in request.headers:
            raise
        return HTMLResponse(html.escape(error.message), status_of(error))
    return HTMLResponse("") if "hx-request" in request.headers else RedirectResponse("/", 303)


def _whole(field: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise InvalidInput(f"{field}: give a whole number", field=field)
    return int(text)


@router.get("/stream", dependencies=[needs(DOORS_SEE)])
async def stream(
    request: Request, web: WebDep, session: SignedIn, after: str = "", seen: int = 0
) -> StreamingResponse:
    """Push what comes after `after` (or the Last-Event-ID), without audit entries up to `seen`.

    It ends with the session, and brings each session what its role may see at that moment.
    """
    position = Position.parse(request.headers.get("last-event-id", "") or after)
    token = session_token(request) or ""

    def watching() -> Session | None:
        now = web.services.auth.session(token, use=False)
        return now if now is not None and now.may(DOORS_SEE) else None

    return StreamingResponse(
        Pushes(web, session, watching, position, seen).frames(),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )
