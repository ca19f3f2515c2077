"""The page of the boards: who is there, who waits for a name, who is shut out."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from doorward.app.devices.doors import DoorOrder
from doorward.app.services import Services
from doorward.app.views.boards import BoardView
from doorward.app.views.operators import Session
from doorward.domain.permissions import DEVICES_EDIT, DEVICES_SEE, DOORS_OPEN
from doorward.errors import DoorwardError, InvalidInput, NotFound
from doorward.web.board_looks import board_summary
from doorward.web.context import Web, WebDep
from doorward.web.errors import status_of
from doorward.web.headers import DRAWING_POLICY
from doorward.web.permission import Needs, fresh, needs
from doorward.web.selftest_looks import SelfTestLook, selftest_look
from doorward.web.session import Calling, SignedIn, session_token
from doorward.web.stream import KEEPALIVE, Position, frame

router = APIRouter(prefix="/boards")

Field = Annotated[str, Form(max_length=256)]


@router.get("", dependencies=[needs(DEVICES_SEE)])
async def boards(web: WebDep, session: SignedIn) -> HTMLResponse:
    """Show every board."""
    return HTMLResponse(_page(web, session, "boards.html"))


@dataclass(frozen=True, slots=True)
class _Visit:
    """Somebody at a board's card, who may change something. How that went is told by the stream."""

    request: Request
    web: WebDep
    session: SignedIn
    device: str

    async def change(self, work: Callable[[Services, str], Awaitable[object]]) -> Response:
        """Have it done for who is here; what was refused is said on the card."""
        try:
            await work(self.web.services, self.session.username)
        except DoorwardError as error:
            return _refused(self.request, self.web, self.session, self.device, error)
        return done(self.request)


VisitDep = Annotated[_Visit, Depends()]


@router.post("/{device}/approve", dependencies=[needs(DEVICES_EDIT)])
async def approve(visit: VisitDep, device: str, door: Field = "", strike_s: Field = "") -> Response:
    """Name the door that a board keeps from now on."""
    return await visit.change(
        lambda services, actor: services.devices.approve(
            device, DoorOrder(door, _seconds(strike_s)), actor=actor
        )
    )


@router.post("/{device}/revoke", dependencies=[needs(DEVICES_EDIT)])
async def revoke(visit: VisitDep, device: str) -> Response:
    """Shut a board out for good."""
    return await visit.change(lambda services, actor: services.devices.revoke(device, actor=actor))


@router.post("/{device}/test", dependencies=[needs(DEVICES_EDIT)])
async def start_test(visit: VisitDep, caller: Calling, device: str, move: Field = "") -> Response:
    """Ask a board to test itself; with its lock only who may open the door, and has just shown who they are."""
    if move:
        await Needs(DOORS_OPEN)(caller)
        await fresh(caller)
    return await visit.change(
        lambda services, actor: services.selftests.start(device, actor, move=bool(move))
    )


@router.post("/{device}/heard", dependencies=[needs(DEVICES_EDIT)])
async def heard(visit: VisitDep, device: str, click: Field = "") -> Response:
    """Hear from somebody at the door whether the relay clicked."""

    async def told(services: Services, _actor: str) -> None:
        services.selftests.heard(device, click=click == "yes")

    return await visit.change(told)


@router.get("/{device}/wiring.svg", dependencies=[needs(DEVICES_SEE)])
async def wiring(web: WebDep, device: str) -> Response:
    """Draw how a board is wired, with the wires marked that its latest test is about."""
    return Response(
        web.services.selftests.diagram(device),
        media_type="image/svg+xml",
        headers={"Content-Security-Policy": DRAWING_POLICY},
    )


@router.get("/stream", dependencies=[needs(DEVICES_SEE)])
async def stream(request: Request, web: WebDep, session: SignedIn) -> StreamingResponse:
    """Push what changes about the boards. It ends with the session."""
    token = session_token(request) or ""

    def watching() -> Session | None:
        now = web.services.auth.session(token, use=False)
        return now if now is not None and now.may(DEVICES_SEE) else None

    return StreamingResponse(
        _frames(web, session, watching),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _frames(
    web: Web, session: Session, watching: Callable[[], Session | None]
) -> AsyncIterator[bytes]:
    """All boards at first, then each part of the page whose words are others than they were.

    A form that somebody is filling in is left alone as long as its own board stays as it is.
    """
    now: Session = session

    def may_go_on() -> bool:
        nonlocal now
        found = watching()
        now = found or now
        return found is not None

    number = web.services.feed.position
    known = _parts(web, now)
    yield frame(_page(web, now, "push/boards.html"), Position(web.epoch, number))
    async for item in web.streams.items(web.services.feed, number, may_go_on):
        number = item.id if item is not None else number
        parts = _parts(web, now)
        if parts.keys() != known.keys():
            html = _page(web, now, "push/boards.html")
        else:
            html = "".join(
                part.html for place, part in parts.items() if known[place].said != part.said
            )
        known = parts
        yield frame(html, Position(web.epoch, number)) if html else KEEPALIVE


class _Part(NamedTuple):
    """A part of the page that is pushed by itself. said: what makes it worth a push."""

    said: str
    html: str


def _parts(web: Web, session: Session) -> dict[str, _Part]:
    """Every such part, as it reads now. When a board was last heard is no reason to touch its form."""
    found = web.services.devices.list()
    tests = _tests(web, found)
    headline = web.renderer("push/boards_headline.html", summary=board_summary(found))
    rollout = web.renderer("push/rollout.html", boards=found, session=session)
    parts = {"": _Part(headline, headline), "rollout": _Part(rollout, rollout)}
    for board in found:
        card = web.renderer("push/board.html", board=board, session=session, tests=tests)
        heard = web.renderer("parts/board_heard.html", board=board)
        moment = web.renderer("push/board_heard.html", board=board)
        parts[f"board {board.id}"] = _Part(card.replace(heard, ""), card)
        parts[f"heard {board.id}"] = _Part(moment, moment)
    return parts


def _page(web: Web, session: Session, template: str) -> str:
    found = sorted(web.services.devices.list(), key=_order)
    return web.renderer(
        template,
        boards=found,
        tests=_tests(web, found),
        summary=board_summary(found),
        session=session,
        site=web.services.site,
    )


def _tests(web: Web, boards: Iterable[BoardView]) -> dict[str, SelfTestLook | None]:
    return {board.id: selftest_look(web.services.selftests.get(board.id)) for board in boards}


def _order(board: BoardView) -> tuple[int, str]:
    """Who waits for somebody comes first, who is shut out last."""
    rank = {"announced": 0, "waiting": 1, "approved": 2, "revoked": 3}
    return rank[board.state], (board.door_name or board.id).casefold()


def done(request: Request) -> Response:
    """What was asked is under way: the stream tells how it goes."""
    from_script = "hx-request" in request.headers
    return Response(status_code=204) if from_script else RedirectResponse("/boards", 303)


def _refused(
    request: Request, web: Web, session: Session, device: str, error: DoorwardError
) -> Response:
    """The board's own card with the reason in it; without a script, the page of errors."""
    if isinstance(error, NotFound) or "hx-request" not in request.headers:
        raise error
    board = web.services.devices.get(device)
    html = web.renderer(
        "parts/board.html",
        board=board,
        tests=_tests(web, [board]),
        session=session,
        problem=error.message,
    )
    return HTMLResponse(html, status_of(error))


def _seconds(text: str) -> int | None:
    """A number from a form; nothing stands for what is usual."""
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()):
        raise InvalidInput("strike_s: give a number of seconds", field="strike_s")
    return int(text[:9])
