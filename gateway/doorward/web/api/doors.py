"""Doors and what happened at them."""

from typing import Annotated

from fastapi import APIRouter, Query, status

from doorward.app.views import AuditEntry, DoorView, Release
from doorward.web.api.models import AuditAnswer, DoorAnswer, ReleaseAnswer
from doorward.web.context import WebDep
from doorward.web.session import Actor

router = APIRouter(tags=["doors"])


@router.get("/doors", response_model=list[DoorAnswer])
async def list_doors(web: WebDep) -> tuple[DoorView, ...]:
    """List the doors as last heard of."""
    return web.services.doors.list()


@router.post(
    "/doors/{door}/open", response_model=ReleaseAnswer, status_code=status.HTTP_202_ACCEPTED
)
async def open_door(web: WebDep, who: Actor, door: str) -> Release:
    """Ask the board to open once. Look at the door's `release` for how it went."""
    return await web.services.doors.open(door, who)


@router.get("/audit", response_model=list[AuditAnswer])
async def list_audit(
    web: WebDep,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[int | None, Query(ge=1)] = None,
    door: str | None = None,
) -> tuple[AuditEntry, ...]:
    """List the audit, newest first; `before` is the id to go on from."""
    return await web.services.history.recent(limit=limit, before=before, door=door)
