"""What the API gives: the application's own views, field by field, so that no view leaks a field that it gains."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Read from an object with the same attributes."""

    model_config = ConfigDict(from_attributes=True)


class ErrorBody(BaseModel):
    """What is wrong and what to do next, in one line; field names the culprit in bad input."""

    code: str
    message: str
    field: str | None = None


class ErrorAnswer(BaseModel):
    """Every answer that is not a success."""

    error: ErrorBody


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


class WireFindingAnswer(Answer):
    """Something that is wrong with a board. what: the symptom; remedy: the next step; wires: by profile field."""

    code: str
    what: str
    remedy: str
    sentence: str
    wires: list[str]


class SelfTestAnswer(Answer):
    """A board's test of itself. state: reading, watching, released, done or failed; note says why it failed.

    readings: by part, as the board sent them (docs/protocol.md). unsure: it would help to know if the relay clicked.
    """

    id: str
    device: str
    actor: str
    state: str
    running: bool
    began_at: datetime
    readings: dict[str, dict[str, Any]]
    findings: list[WireFindingAnswer]
    unsure: bool
    note: str | None


class SyncedAnswer(Answer):
    """A look at the accounts of a broker outside: how many there are to be, and each command that it took.

    need_password: users that cannot come in until somebody gives them a password anew.
    """

    wanted: int
    changed: list[str]
    need_password: list[str]


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


class ReleaseAnswer(Answer):
    """A remote release: `unknown` until the board's own event arrives or the time is up."""

    id: str
    door_id: str
    door_name: str
    actor: str
    state: Literal["unknown", "opened", "expired", "failed"]
    requested_at: datetime
    expires_at: datetime
    note: str | None


class LockoutAnswer(Answer):
    """What a board does about failed attempts: a card is shown twice (guarded), or nobody is let in (locked)."""

    kind: Literal["guarded", "locked"]
    until: datetime | None


class DoorAnswer(Answer):
    """A door as last heard of."""

    id: str
    name: str
    online: bool
    locked: bool | None
    contact: Literal["open", "closed"] | None
    alarm: str | None
    last: AuditAnswer | None
    release: ReleaseAnswer | None
    policy_version: int | None
    policy_wanted: int | None
    firmware: str | None
    heard_at: datetime | None
    lockout: LockoutAnswer | None
    vault: str | None
    attempts: int | None
    battery_mv: int | None


class LightAnswer(Answer):
    """A lamp as last heard of: level in percent, kelvin in K."""

    id: str
    name: str
    online: bool
    level: int | None
    kelvin: int | None
    cause: str | None
    heard_at: datetime | None


class MotionAnswer(Answer):
    """A motion sensor as last heard of; motion is null while it warms up."""

    id: str
    name: str
    online: bool
    motion: bool | None
    moved_at: datetime | None
    battery_mv: int | None
    heard_at: datetime | None


class StepAnswer(Answer):
    """One rule that was tried; passed is null for rules that were not reached."""

    rule: int
    name: str
    sentence: str
    passed: bool | None


class WhyAnswer(Answer):
    """The rule that decides, and every rule on the way there."""

    verdict: Literal["grant", "deny"]
    rule: int
    rule_name: str
    sentence: str
    steps: list[StepAnswer]
    person: str | None
    card_tail: str
    door_id: str
    door_name: str
    at: datetime


class CardAnswer(Answer):
    """A card by its last four digits."""

    id: int
    tail: str
    person: str
    revoked: bool
    added_at: datetime


class PersonAnswer(Answer):
    """Somebody who may carry cards."""

    id: int
    name: str
    active: bool
    levels: list[str]
    cards: list[CardAnswer]


class GrantAnswer(Answer):
    """One door of an access level, and when."""

    door_id: str
    door_name: str
    schedule: str


class LevelAnswer(Answer):
    """An access level."""

    id: int
    name: str
    grants: list[GrantAnswer]


class OperatorAnswer(Answer):
    """Somebody who may sign in."""

    username: str
    role: str
    second_factor: bool
    locked: bool


class RoleAnswer(Answer):
    """A role, and what it holds."""

    name: str
    permissions: list[str]


class TokenAnswer(Answer):
    """A program's token by its first characters."""

    id: int
    prefix: str
    owner: str
    name: str
    scopes: list[str]
    unattended: bool
    added_at: datetime
    expires_at: datetime
    used_at: datetime | None


class NewTokenAnswer(TokenAnswer):
    """A token that was just made; its text is told this once."""

    token: str


class CheckAnswer(Answer):
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str
    remedy: str | None


class HealthAnswer(Answer):
    """How the gateway is."""

    ok: bool
    version: str
    started_at: datetime
    data: str
    checks: list[CheckAnswer]


class SiteCardAnswer(Answer):
    """A card of the virtual site."""

    key: str
    label: str
    tail: str


class SiteBoardAnswer(Answer):
    """A virtual board: the door it keeps, if it keeps one, what people call it, and what is wired to it."""

    id: str
    door_id: str | None
    door_name: str
    running: bool
    contact: Literal["open", "closed"] | None
    parts: list[str]


class SiteAnswer(Answer):
    """The virtual site."""

    cards: list[SiteCardAnswer]
    boards: list[SiteBoardAnswer]
