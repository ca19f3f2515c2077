"""What the application shows to the outside: frozen values, no secret and no whole card number in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from doorward.app.broker_views import BrokerEntry
from doorward.app.fixture_views import LightView, Lockout, MotionView
from doorward.domain.diagnosis import Finding

Contact = Literal["open", "closed"]
Verdict = Literal["grant", "deny"]
ReleaseState = Literal["unknown", "opened", "expired", "failed"]
FeedKind = Literal["event", "door", "release", "broker", "update", "fixture", "selftest"]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row of the audit, as people read it.

    kind: an event type of the contract (`access.decision`, `door.forced`, …), or `correction`,
    `release.requested`, `release.expired`, `release.failed`, `person.added`, `card.added`, `card.revoked`, `tamper`,
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


@dataclass(frozen=True, slots=True)
class Release:
    """A remote release. It is `unknown` until the board's own event says `opened`, or the time is up.

    ends_lockout: it lets nobody in, but ends a vault's lockout.
    """

    id: str
    door_id: str
    door_name: str
    actor: str
    state: ReleaseState
    requested_at: datetime
    expires_at: datetime
    note: str | None = None
    ends_lockout: bool = False


@dataclass(frozen=True, slots=True)
class DoorView:
    """A door as last heard of. locked and contact are None while no board has told.

    vault: a vault's own word (`LOCKED`, `UNLOCKED`, `INDEFINITE_LOCKED`), None at a door. attempts: at a vault, since
    somebody was let in. battery_mv: of a board that has one.
    """

    id: str
    name: str
    online: bool
    locked: bool | None = None
    contact: Contact | None = None
    alarm: str | None = None  # "forced" or "held"
    last: AuditEntry | None = None
    release: Release | None = None  # the latest one, also when it is over
    policy_version: int | None = None  # what the board holds
    policy_wanted: int | None = None  # what it should hold
    firmware: str | None = None
    heard_at: datetime | None = None
    lockout: Lockout | None = None
    vault: str | None = None
    attempts: int | None = None
    battery_mv: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One rule that was tried. passed is None for rules that were not reached."""

    rule: int
    name: str
    sentence: str
    passed: bool | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which rule decides for a card at a door at an instant, and every rule on the way there."""

    verdict: Verdict
    rule: int
    rule_name: str
    sentence: str
    steps: tuple[Step, ...]
    person: str | None
    card_tail: str
    door_id: str
    door_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Card:
    """A card by its last four digits."""

    id: int
    tail: str
    person: str
    revoked: bool
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may carry cards. levels are the names of access levels."""

    id: int
    name: str
    active: bool
    levels: tuple[str, ...] = ()
    cards: tuple[Card, ...] = ()


@dataclass(frozen=True, slots=True)
class LevelGrant:
    """One door of an access level, and when."""

    door_id: str
    door_name: str
    schedule: str


@dataclass(frozen=True, slots=True)
class Level:
    """An access level: which doors it opens, and when."""

    id: int
    name: str
    grants: tuple[LevelGrant, ...] = ()


@dataclass(frozen=True, slots=True)
class SelfTest:
    """A board's test of itself, as far as it has come.

    state: `reading`; `watching` the lock, which still holds; `released`, and watched on; `done`; or `failed`, and
    `note` says why. readings: by part, as the board sent them. findings: when it is over, the first thing to do first;
    none means that all is well with what was read.
    """

    id: str
    device: str
    actor: str
    state: str
    began_at: datetime
    readings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    note: str | None = None

    @property
    def running(self) -> bool:
        """Whether more is to come."""
        return self.state not in ("done", "failed")

    @property
    def unsure(self) -> bool:
        """Whether it would help to know if the relay was heard."""
        return any(finding.code == "lock.unmoved" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One thing that happened, numbered without gaps since the gateway started."""

    id: int
    kind: FeedKind
    data: "AuditEntry | DoorView | Release | BrokerEntry | UpdateView | LightView | MotionView | SelfTest"


@dataclass(frozen=True, slots=True)
class SiteCard:
    """A card of the virtual site, by the name it goes by there."""

    key: str
    label: str
    tail: str


@dataclass(frozen=True, slots=True)
class SiteBoard:
    """A virtual board: the door it keeps, if it keeps one, what people call it, and what is wired to it."""

    id: str
    door_id: str | None
    door_name: str
    running: bool
    contact: Contact | None = None
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FirmwareView:
    """A firmware for boards. ships: it came with this gateway. added_at: None while nobody has used or added it."""

    version: str
    ships: bool = False
    epoch: int | None = None
    size: int | None = None
    added_at: datetime | None = None
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class UpdateView:
    """What became of a board's newest update. state: as in `domain.updates`. percent: how much of it the board has."""

    device: str
    version: str
    state: str
    percent: int
    reason: str
    actor: str
    rollout: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class BoardView:
    """A board of the site. state: waiting, announced, approved or revoked; what it says itself is in `firmware`.

    rejected: how many of its messages were refused since the gateway started. certificate: False for a board that was
    put up before there were certificates. available: a newer firmware, if there is one.
    """

    id: str
    board: str
    state: str
    door_id: str | None = None
    door_name: str | None = None
    online: bool = False
    firmware: str | None = None
    heard_at: datetime | None = None
    rejected: int = 0
    adopted_at: datetime | None = None
    approved_at: datetime | None = None
    revoked_at: datetime | None = None
    certificate: bool = True
    available: str | None = None
    update: UpdateView | None = None
    role: str = "door"
    name: str | None = None  # of a board that keeps no door


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One thing that `doctor` looks at."""

    name: str
    ok: bool
    detail: str
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """All of them, and what runs since when."""

    version: str
    started_at: datetime
    data: str
    checks: tuple[HealthCheck, ...]

    @property
    def ok(self) -> bool:
        """True if every check passed."""
        return all(check.ok for check in self.checks)


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
