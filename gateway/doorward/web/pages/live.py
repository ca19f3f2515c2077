"""The live page: the doors, what happens, and the open button."""

from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from doorward.app.views import AuditEntry, DoorView, FeedItem, Release, Session
from doorward.errors import DoorwardError, NotFound
from doorward.web import looks
from doorward.web.context import Web, WebDep
from doorward.web.errors import status_of
from doorward.web.session import SignedIn, session_token
from doorward.web.stream import KEEPALIVE, Position, frame

router = APIRouter()

SHOWN_EVENTS = 50


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
        site={"cards": site.cards(), "boards": await site.boards()} if site else None,
    )
    return HTMLResponse(html)


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
    pushes = _pushes(web, session, session_token(request) or "", position, seen)
    return StreamingResponse(
        pushes, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


async def _pushes(
    web: Web, session: Session, token: str, position: Position | None, seen: int
) -> AsyncIterator[bytes]:
    feed = web.services.feed
    number = position.number if position and position.epoch == web.epoch else None
    yield KEEPALIVE  # headers and a first byte at once: the page can say that it is live
    if number is None or number > feed.position:
        number = feed.position
        yield frame(await _everything(web, session), Position(web.epoch, number))
    async for item in web.streams.items(feed, number):
        if web.services.auth.session(token) is None:
            return
        if item is None:
            yield KEEPALIVE
            continue
        missed = item.id > number + 1
        number = item.id
        html = await _everything(web, session) if missed else _push(web, session, item, seen)
        yield frame(html, Position(web.epoch, number))


async def _everything(web: Web, session: Session) -> str:
    events = await web.services.history.recent(SHOWN_EVENTS)
    doors = web.services.doors.list()
    return web.renderer(
        "push/everything.html",
        doors=doors,
        events=events,
        session=session,
        summary=looks.summary(doors),
    )


def _push(web: Web, session: Session, item: FeedItem, seen: int) -> str:
    """One feed item as fragments. A card is always drawn as the door is now, so that late pushes agree."""
    match item.data:
        case AuditEntry(id=entry_id, door_id=door_id) as entry:
            html = web.renderer.event(entry) if entry_id > seen else ""
        case DoorView(id=door_id) | Release(door_id=door_id):
            html = ""
    if door_id is None:
        return html
    try:
        door = web.services.doors.get(door_id)
    except NotFound:
        return html
    return html + web.renderer.door(web.services, session, door)
