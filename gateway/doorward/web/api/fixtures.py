"""Lamps, motion sensors, and what a vault has beyond a door."""

from fastapi import APIRouter, status

from doorward.app.lighting.lights import LightOrder
from doorward.app.views.access import DoorView, Release
from doorward.app.views.fixtures import LightView, MotionView
from doorward.domain.permissions import DOORS_OPEN, DOORS_SEE, LIGHTS_SET
from doorward.web.api.shapes.access import DoorAnswer, ReleaseAnswer
from doorward.web.api.shapes.fixtures import LightAnswer, LightSetOrder, MotionAnswer
from doorward.web.context import WebDep
from doorward.web.permission import FRESH_OR_UNATTENDED, doors_seen_by, needs
from doorward.web.session import Actor, Calling

router = APIRouter(tags=["lights, motion, vaults"])


@router.get("/lights", response_model=list[LightAnswer], dependencies=[needs(DOORS_SEE)])
async def list_lights(web: WebDep) -> tuple[LightView, ...]:
    """List the lamps as last heard of."""
    return web.services.lights.list()


@router.post("/lights/{light}", response_model=LightAnswer, dependencies=[needs(LIGHTS_SET)])
async def set_light(web: WebDep, who: Actor, light: str, body: LightSetOrder) -> LightView:
    """Set a lamp. The answer comes when its board has done it."""
    order = LightOrder(body.level, body.kelvin, body.fade_ms)
    return await web.services.lights.set(light, order, actor=who)


@router.get("/motion", response_model=list[MotionAnswer], dependencies=[needs(DOORS_SEE)])
async def list_motion(web: WebDep) -> tuple[MotionView, ...]:
    """List the motion sensors as last heard of."""
    return web.services.sensors.sensors()


@router.get("/vaults", response_model=list[DoorAnswer], dependencies=[needs(DOORS_SEE)])
async def list_vaults(web: WebDep, caller: Calling) -> tuple[DoorView, ...]:
    """List the doors whose board is a vault."""
    doors = doors_seen_by(caller.permissions, web.services.doors)
    return tuple(door for door in doors if door.vault is not None)


@router.post(
    "/vaults/{vault}/release",
    response_model=ReleaseAnswer,
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=[needs(DOORS_OPEN), FRESH_OR_UNATTENDED],
)
async def end_lockout(web: WebDep, who: Actor, vault: str) -> Release:
    """End a vault's lockout by challenge; it stays locked. Look at its `release` for how it went."""
    return await web.services.releases.end_lockout(vault, who)
