"""The virtual site of the demo."""

from fastapi import APIRouter, status

from doorward.app.services.site import Site
from doorward.domain.permissions import DEVICES_EDIT, DEVICES_SEE
from doorward.errors import NotFound
from doorward.web.api.shapes.site import (
    ContactOrder,
    FaultOrder,
    KeyOrder,
    MotionOrder,
    PressOrder,
    PullOrder,
    SiteAnswer,
    SiteBoardAnswer,
    SiteCardAnswer,
    TapOrder,
)
from doorward.web.context import Web, WebDep
from doorward.web.permission import needs

router = APIRouter(prefix="/site", tags=["site"])


def _site(web: Web) -> Site:
    if web.services.site is None:
        raise NotFound("there is no virtual site", "start one with `doorward demo`")
    return web.services.site


@router.get("", dependencies=[needs(DEVICES_SEE)])
async def show_site(web: WebDep) -> SiteAnswer:
    """List the virtual cards and boards."""
    site = _site(web)
    return SiteAnswer(
        cards=[SiteCardAnswer.model_validate(card) for card in site.cards()],
        boards=[SiteBoardAnswer.model_validate(board) for board in await site.boards()],
    )


@router.post("/tap", status_code=status.HTTP_204_NO_CONTENT, dependencies=[needs(DEVICES_EDIT)])
async def tap(web: WebDep, order: TapOrder) -> None:
    """Hold a card to the reader of a door."""
    await _site(web).tap(order.door, order.card)


@router.post("/contact", status_code=status.HTTP_204_NO_CONTENT, dependencies=[needs(DEVICES_EDIT)])
async def contact(web: WebDep, order: ContactOrder) -> None:
    """Move the leaf of a door."""
    await _site(web).contact(order.door, order.open)


@router.post("/key", status_code=status.HTTP_204_NO_CONTENT, dependencies=[needs(DEVICES_EDIT)])
async def key(web: WebDep, order: KeyOrder) -> None:
    """Type on the keypad of a board."""
    await _site(web).key(order.board, order.keys)


@router.post("/press", status_code=status.HTTP_204_NO_CONTENT, dependencies=[needs(DEVICES_EDIT)])
async def press(web: WebDep, order: PressOrder) -> None:
    """Press a button of a board for a moment, or take its lid off."""
    await _site(web).press(order.board, order.part)


@router.post("/motion", status_code=status.HTTP_204_NO_CONTENT, dependencies=[needs(DEVICES_EDIT)])
async def motion(web: WebDep, order: MotionOrder) -> None:
    """Move before the sensor of a board, or leave."""
    await _site(web).motion(order.board, order.there)


@router.post("/pull", status_code=status.HTTP_204_NO_CONTENT, dependencies=[needs(DEVICES_EDIT)])
async def pull(web: WebDep, order: PullOrder) -> None:
    """Pull at the door of a board, which opens it as soon as its lock lets go, or leave it alone."""
    await _site(web).pull(order.board, order.pulled)


@router.get("/faults", dependencies=[needs(DEVICES_SEE)])
async def faults(web: WebDep) -> dict[str, str]:
    """List what can be broken, and what that is."""
    return dict(await _site(web).faults())


@router.post("/fault", status_code=status.HTTP_204_NO_CONTENT, dependencies=[needs(DEVICES_EDIT)])
async def fault(web: WebDep, order: FaultOrder) -> None:
    """Break something of a board, or mend it."""
    await _site(web).fault(order.board, order.fault, order.broken)
