"""Boards that test themselves.

To read needs the permission for boards; to have the lock released that for opening doors, too.
"""

from fastapi import APIRouter, status

from doorward.app.views.boards import SelfTest
from doorward.domain.permissions import DEVICES_EDIT, DEVICES_SEE, DOORS_OPEN
from doorward.errors import NotFound
from doorward.web.api.shapes.selftests import HeardOrder, SelfTestAnswer, SelfTestOrder
from doorward.web.context import WebDep
from doorward.web.permission import Needs, fresh_or_unattended, needs
from doorward.web.session import Actor, Calling

router = APIRouter(tags=["boards"])


@router.post(
    "/devices/{device}/selftest",
    response_model=SelfTestAnswer,
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=[needs(DEVICES_EDIT)],
)
async def start_selftest(
    web: WebDep, who: Actor, caller: Calling, device: str, body: SelfTestOrder
) -> SelfTest:
    """Ask a board to test itself. With `move` its lock is released once, which needs what opening the door needs."""
    if body.move:
        await Needs(DOORS_OPEN)(caller)
        await fresh_or_unattended(caller)
    return await web.services.selftests.start(device, who, move=body.move)


@router.get(
    "/devices/{device}/selftest", response_model=SelfTestAnswer, dependencies=[needs(DEVICES_SEE)]
)
async def show_selftest(web: WebDep, device: str) -> SelfTest:
    """Show a board's latest test, also while it runs."""
    found = web.services.selftests.get(device)
    if found is None:
        raise NotFound(f"{device} has not tested itself", f"`doorward doctor {device}` asks it to")
    return found


@router.post(
    "/devices/{device}/selftest/heard",
    response_model=SelfTestAnswer,
    dependencies=[needs(DEVICES_EDIT)],
)
async def heard_at_selftest(web: WebDep, device: str, body: HeardOrder) -> SelfTest:
    """Say whether the relay clicked when the lock was released; the findings follow."""
    return web.services.selftests.heard(device, click=body.click)
