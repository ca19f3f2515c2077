"""Boards. Their secrets travel over the local socket alone: `local_router` is not part of the API on TCP."""

from base64 import b64encode

from fastapi import APIRouter, status

from doorward.app.devices.desk import AdoptionOrder
from doorward.app.devices.doors import DoorOrder
from doorward.app.views.boards import BoardView
from doorward.domain.permissions import DEVICES_EDIT, DEVICES_SEE
from doorward.web.api.shapes.boards import (
    AdoptedAnswer,
    AdoptOrder,
    ApproveOrder,
    BoardAnswer,
    RekeyAnswer,
)
from doorward.web.context import WebDep
from doorward.web.permission import needs
from doorward.web.session import Actor

router = APIRouter(tags=["boards"])
local_router = APIRouter(tags=["boards"])


@router.get("/devices", response_model=list[BoardAnswer], dependencies=[needs(DEVICES_SEE)])
async def list_boards(web: WebDep) -> tuple[BoardView, ...]:
    """List every board that was ever adopted."""
    return web.services.devices.list()


@router.post(
    "/devices/{device}/approve", response_model=BoardAnswer, dependencies=[needs(DEVICES_EDIT)]
)
async def approve_board(web: WebDep, who: Actor, device: str, body: ApproveOrder) -> BoardView:
    """Name the door that a board keeps from now on. It has to have announced itself."""
    order = DoorOrder(body.door, body.strike_s, body.held_s)
    return await web.services.devices.approve(device, order, actor=who)


@router.post(
    "/devices/{device}/revoke", response_model=BoardAnswer, dependencies=[needs(DEVICES_EDIT)]
)
async def revoke_board(web: WebDep, who: Actor, device: str) -> BoardView:
    """Shut a board out for good. The answer comes when it is so, at the broker and on every disk."""
    return await web.services.devices.revoke(device, actor=who)


@router.post("/devices/{device}/rekey", dependencies=[needs(DEVICES_EDIT)])
async def rekey_board(web: WebDep, who: Actor, device: str) -> RekeyAnswer:
    """Give a connected board a new key. The answer comes when the board has used it."""
    return RekeyAnswer(id=device, epoch=await web.services.devices.rekey(device, actor=who))


@local_router.post(
    "/devices",
    status_code=status.HTTP_201_CREATED,
    dependencies=[needs(DEVICES_EDIT)],
)
async def adopt_board(web: WebDep, who: Actor, body: AdoptOrder) -> AdoptedAnswer:
    """Give a board its keys. The answer holds its secrets, and nobody can have them a second time."""
    order = AdoptionOrder(body.id, body.board, body.broker, again=body.again)
    adopted = await web.services.adoptions.adopt(order, actor=who)
    return AdoptedAnswer(
        board=BoardAnswer.model_validate(adopted.board),
        again=adopted.again,
        config=dict(adopted.files.config),
        tls={name: b64encode(data).decode() for name, data in adopted.files.tls.items()},
        firmware_key=b64encode(adopted.files.firmware_key or b"").decode(),
    )
