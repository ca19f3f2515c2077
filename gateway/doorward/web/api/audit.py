"""The audit as a whole: is it what was written, and a copy to take along."""

from datetime import UTC, datetime
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from doorward.app.views.audit import AuditVerdict
from doorward.domain.permissions import AUDIT_EXPORT, AUDIT_SEE
from doorward.web.api.shapes.audit import VerdictAnswer
from doorward.web.context import WebDep
from doorward.web.permission import needs
from doorward.web.session import Actor

router = APIRouter(tags=["audit"])

_MEDIA = {"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8"}


@router.get("/audit/verify", response_model=VerdictAnswer, dependencies=[needs(AUDIT_SEE)])
async def verify(web: WebDep) -> AuditVerdict:
    """Check every row of the audit, and every entry of the boards' logs. For a million rows that takes seconds."""
    return await web.services.trail.verify()


@router.get(
    "/audit/export",
    response_class=StreamingResponse,
    dependencies=[needs(AUDIT_EXPORT)],
)
async def export(
    web: WebDep,
    who: Actor,
    format: Literal["jsonl", "csv"] = "jsonl",
    since: datetime | None = None,
    until: datetime | None = None,
) -> StreamingResponse:
    """Take rows along as a file, signed in its last line. Without a zone a time is in UTC."""
    pieces = await web.services.trail.export(format, _utc(since), _utc(until), actor=who)
    told = {"Content-Disposition": f'attachment; filename="audit.{format}"'}
    return StreamingResponse(pieces, media_type=_MEDIA[format], headers=told)


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
