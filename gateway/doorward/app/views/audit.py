"""What is shown of the audit: its rows, and what a check of it found."""

from dataclasses import dataclass
from datetime import datetime

from doorward.domain.audit import AuditRow
from doorward.domain.explain import rule_name
from doorward.domain.instants import instant


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row of the audit, as people read it.

    kind: an event type of the contract (`access.decision`, `door.forced`, …), or `correction`,
    `release.requested`, `release.expired`, `release.failed`, `person.added`, `card.added`, `card.revoked`, `tamper`,
    `person.dates`, `holiday.added`, `holiday.removed`,
    `device.adopted`, `device.announced`, `device.approved`, `device.revoked`, `update.…`, `firmware.…`.
    source: who says so: the `gateway`, the `board`, or an `operator`. why: one sentence. device: the board.
    """

    id: int
    at: datetime
    kind: str
    door_id: str | None = None
    door_name: str | None = None
    person: str | None = None
    card_tail: str | None = None
    granted: bool | None = None
    rule: int | None = None
    rule_name: str | None = None
    why: str | None = None
    source: str = "gateway"
    actor: str | None = None
    note: str | None = None
    device: str | None = None


def entry(row: AuditRow) -> AuditEntry:
    """A stored row for the page, the API and the feed."""
    return AuditEntry(
        id=row.id,
        at=instant(row.at_ms),
        kind=row.kind,
        door_id=row.door_id,
        door_name=row.door_name,
        person=row.person,
        card_tail=row.card_tail,
        granted=row.granted,
        rule=row.rule,
        rule_name=None if row.rule is None else rule_name(row.rule),
        why=row.why,
        source=row.source,
        actor=row.actor,
        note=row.note,
        device=row.device,
    )


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """Something that is wrong with the audit, from row `row` on.

    device: `row` is a number in that board's log. until: the first bad row is one of `row` to `until`.
    """

    kind: str
    row: int
    detail: str
    device: str | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """Whether rows are as they were written.

    first, last: the rows that were looked at; up to `last` they are whole. proven: up to here an anchor outside the
    database confirms them. since: when the first anchor was made. remarks: rows in which the gateway says that a
    backup was restored, or that it could not anchor some rows in time. entries: of the boards' logs.
    """

    first: int
    last: int
    proven: int
    anchors: int
    since: datetime | None
    erased: int
    entries: int
    findings: tuple[AuditFinding, ...]
    remarks: tuple[AuditEntry, ...]

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return not self.findings
