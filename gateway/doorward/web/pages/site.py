"""The virtual site of the demo: cards to tap, and a door leaf to push."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from doorward.app.services.site import Site
from doorward.domain.permissions import DEVICES_EDIT
from doorward.errors import NotFound
from doorward.web.context import Web, WebDep
from doorward.web.permission import needs

router = APIRouter(prefix="/site")

Field = Annotated[str, Form(max_length=64)]


def _site(web: Web) -> Site:
    if web.services.site is None:
        raise NotFound("there is no virtual site", "start one with `doorward demo`")
    return web.services.site


def _done(request: Request, words: str) -> Response:
    return HTMLResponse(words) if "hx-request" in request.headers else RedirectResponse("/", 303)


@router.post("/tap", dependencies=[needs(DEVICES_EDIT)])
async def tap(request: Request, web: WebDep, door: Field, card: Field) -> Response:
    """Hold a card of the site to the reader of a door."""
    await _site(web).tap(door, card)
    return _done(request, "The card was in the reader’s field.")


@router.post("/contact", dependencies=[needs(DEVICES_EDIT)])
async def contact(
    request: Request, web: WebDep, door: Field, is_open: Annotated[bool, Form(alias="open")]
) -> Response:
    """Push the leaf open or pull it shut."""
    await _site(web).contact(door, is_open)
    return _done(request, "The leaf is open." if is_open else "The leaf is shut.")


@router.post("/key", dependencies=[needs(DEVICES_EDIT)])
async def key(request: Request, web: WebDep, board: Field, keys: Field) -> Response:
    """Type on a keypad of the site."""
    await _site(web).key(board, keys)
    return _done(request, "The keys were pressed.")


@router.post("/press", dependencies=[needs(DEVICES_EDIT)])
async def press(request: Request, web: WebDep, board: Field, part: Field) -> Response:
    """Press a button of a board for a moment."""
    await _site(web).press(board, part)
    return _done(request, "It was pressed.")


@router.post("/motion", dependencies=[needs(DEVICES_EDIT)])
async def motion(
    request: Request, web: WebDep, board: Field, is_there: Annotated[bool, Form(alias="there")]
) -> Response:
    """Move before a sensor of the site, or leave."""
    await _site(web).motion(board, is_there)
    return _done(request, "Somebody moves there." if is_there else "Nobody moves there.")
