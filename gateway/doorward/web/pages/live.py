"""The live page: the doors, what happens, and the open button."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from doorward.app.services import Site
from doorward.errors import DoorwardError, NotFound, Unavailable
from doorward.web import looks
from doorward.web.context import WebDep
from doorward.web.errors import status_of
from doorward.web.pages.pushes import SHOWN_EVENTS, Pushes
from doorward.web.session import SignedIn, session_token
from doorward.web.stream import Position

router = APIRouter()


@router.get("/")
async def live(web: WebDep, session: SignedIn) -> HTMLResponse:
    """Show everything, and where in the stream it stands."""
    position = Position(web.epoch, web.services.feed.position)  # first: what comes later is pushed
    events = await web.services.history.recent(SHOWN_EVENTS)
    doors = web.services.doors.list()
    site = web.services.site
    html = web.renderer(
        "live.html",
        session=session,
        position=position,
        seen=events[0].id if events else 0,
        events=events,
        doors=doors,
        summary=looks.summary(doors),
        site=await _on_the_table(site) if site else None,
    )
    return HTMLResponse(html)


async def _on_the_table(site: Site) -> dict[str, object]:
    """What the panel of the virtual site shows. The doors do not depend on it."""
    try:
        boards = await site.boards()
    except Unavailable:
        boards = ()
    return {"cards": site.cards(), "boards": boards}


@router.post("/doors/{door}/open")
async def open_door(request: Request, web: WebDep, session: SignedIn, door: str) -> Response:
    """Ask the board to open once. How that went is told by the stream alone, so that nothing stale overtakes it."""
    from_script = "hx-request" in request.headers
    try:
        await web.services.doors.open(door, session.username)
    except NotFound:
        raise
    except DoorwardError as error:
        if not from_script:
            raise
        view = web.services.doors.get(door)
        html = web.renderer("parts/open.html", door=view, session=session, problem=error.message)
        return HTMLResponse(html, status_of(error))
    return Response(status_code=204) if from_script else RedirectResponse("/", 303)


@router.get("/stream")
async def stream(
    request: Request, web: WebDep, session: SignedIn, after: str = "", seen: int = 0
) -> StreamingResponse:
    """Push what comes after `after` (or the Last-Event-ID), without audit entries up to `seen`."""
    position = Position.parse(request.headers.get("last-event-id", "") or after)
    pushes = Pushes(web, session, position, seen)
    return StreamingResponse(
        pushes.frames(session_token(request) or ""),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )
