"""Doors and what happened at them."""

from typing import Annotated

from fastapi import APIRouter, Query, status

from doorward.app.views.access import DoorView, Release
from doorward.app.views.audit import AuditEntry
from doorward.domain.permissions import AUDIT_SEE, DOORS_OPEN, DOORS_SEE
from doorward.web.api.shapes.access import DoorAnswer, ReleaseAnswer
from doorward.web.api.shapes.audit import AuditAnswer
from doorward.web.context import WebDep
from doorward.web.permission import FRESH_OR_UNATTENDED, doors_seen_by, needs
from doorward.web.session import Actor, Calling

router = APIRouter(tags=["doors"])


@router.get("/doors", response_model=list[DoorAnswer], dependencies=[needs(DOORS_SEE)])
async def list_doors(web: WebDep, caller: Calling) -> tuple[DoorView, ...]:
    """List the doors as last heard of. Who passed last is told to those who may see the audit."""
    return doors_seen_by(caller.permissions, web.services.doors)


@router.post(
    "/doors/{door}/open",
    response_model=ReleaseAnswer,
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=[needs(DOORS_OPEN), FRESH_OR_UNATTENDED],
)
async def open_door(web: WebDep, who: Actor, door: str) -> Release:
    """Ask the board to open once. Look at the door's `release` for how it went.

    A session that has shown no password or code in the last ten minutes is told `fresh_login_needed`, and so is a
    token that was not made to open doors unattended.
    """
    return await web.services.releases.open(door, who)


@router.post(
    "/doors/{door}/end-wait",
    response_model=ReleaseAnswer,
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=[needs(DOORS_OPEN), FRESH_OR_UNATTENDED],
)
async def end_wait(web: WebDep, who: Actor, door: str) -> Release:
    """Have a keypad that waits after wrong codes look at codes again, by challenge; what was wrong goes on to count.

    It opens nothing; look at the door's `release` for how it went. At a vault it ends the lockout.
    """
    return await web.services.releases.end_wait(door, who)


@router.get("/audit", response_model=list[AuditAnswer], dependencies=[needs(AUDIT_SEE)])
async def list_audit(
    web: WebDep,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[int | None, Query(ge=1)] = None,
    door: str | None = None,
) -> tuple[AuditEntry, ...]:
    """List the audit, newest first; `before` is the id to go on from."""
    return await web.services.history.recent(limit=limit, before=before, door=door)
