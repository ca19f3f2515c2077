"""Firmware for boards, and who gets it. What brings or signs a firmware is there on the local socket alone."""

import asyncio
from base64 import b64decode, b64encode

from fastapi import APIRouter, status

from doorward.app.views.boards import FirmwareView, UpdateView
from doorward.domain.permissions import DEVICES_EDIT, DEVICES_SEE
from doorward.errors import InvalidInput
from doorward.firmware.bundle import unpack
from doorward.web.api.shapes.boards import (
    BundleOrder,
    CancelOrder,
    FirmwareAnswer,
    RolloutOrder,
    SignedAnswer,
    UpdateAnswer,
)
from doorward.web.context import WebDep
from doorward.web.permission import needs
from doorward.web.session import Actor

router = APIRouter(tags=["firmware"])
local_router = APIRouter(tags=["firmware"])


@router.get("/firmware", response_model=list[FirmwareAnswer], dependencies=[needs(DEVICES_SEE)])
async def list_firmware(web: WebDep) -> tuple[FirmwareView, ...]:
    """List the firmware that there is for boards, the newest last."""
    return web.services.firmware.list()


@router.get("/updates", response_model=list[UpdateAnswer], dependencies=[needs(DEVICES_SEE)])
async def list_updates(web: WebDep) -> tuple[UpdateView, ...]:
    """List the newest update of every board that ever had one."""
    return web.services.updates.list()


@router.post(
    "/updates",
    response_model=list[UpdateAnswer],
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=[needs(DEVICES_EDIT)],
)
async def update_boards(web: WebDep, who: Actor, body: RolloutOrder) -> tuple[UpdateView, ...]:
    """Have boards take a firmware, one after the other; where one fails, the others keep what they have."""
    return await web.services.updates.begin(body.devices, body.version, actor=who)


@router.post(
    "/updates/cancel", response_model=list[UpdateAnswer], dependencies=[needs(DEVICES_EDIT)]
)
async def cancel_updates(web: WebDep, who: Actor, body: CancelOrder) -> tuple[UpdateView, ...]:
    """Call back what these boards have not installed; a board on trial goes back by itself if that fails."""
    return await web.services.updates.cancel(body.devices, actor=who)


@local_router.post(
    "/firmware",
    response_model=FirmwareAnswer,
    status_code=status.HTTP_201_CREATED,
    dependencies=[needs(DEVICES_EDIT)],
)
async def add_firmware(web: WebDep, who: Actor, body: BundleOrder) -> FirmwareView:
    """Keep a bundle that this site has signed, for boards."""
    return await web.services.firmware.add(_content(body), actor=who)


@local_router.post("/firmware/sign", dependencies=[needs(DEVICES_EDIT)])
async def sign_firmware(web: WebDep, who: Actor, body: BundleOrder) -> SignedAnswer:
    """Sign a bundle. The first signature makes the key, which takes a while."""
    bundle = await asyncio.to_thread(unpack, _content(body))
    signed = await web.services.firmware.sign(bundle, actor=who)
    return SignedAnswer(version=signed.version, bundle=b64encode(signed.pack()).decode())


def _content(body: BundleOrder) -> bytes:
    try:
        return b64decode(body.bundle, validate=True)
    except ValueError as error:
        raise InvalidInput("bundle: give Base64", field="bundle") from error
