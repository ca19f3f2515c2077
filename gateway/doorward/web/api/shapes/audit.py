"""What the API gives of the audit: its rows, and what a check of it found."""

from datetime import datetime

from doorward.web.api.shapes.base import Answer


class AuditAnswer(Answer):
    """One row of the audit."""

    id: int
    at: datetime
    kind: str
    door_id: str | None
    door_name: str | None
    person: str | None
    card_tail: str | None
    granted: bool | None
    rule: int | None
    rule_name: str | None
    why: str | None
    source: str
    actor: str | None
    note: str | None
    device: str | None


class FindingAnswer(Answer):
    """Something that is wrong with the audit: `row` is the first bad row, or lies between that and `until`."""

    kind: str
    row: int
    detail: str
    device: str | None
    until: int | None


class VerdictAnswer(Answer):
    """Whether rows are as they were written. Up to `last` they are whole, up to `proven` the signer confirms them."""

    ok: bool
    first: int
    last: int
    proven: int
    anchors: int
    since: datetime | None
    erased: int
    entries: int
    findings: list[FindingAnswer]
    remarks: list[AuditAnswer]
