"""The audit: what is worth a row, and which rows say the same thing twice."""

from dataclasses import dataclass, replace

ACCESS_DECISION = "access.decision"
CORRECTION = "correction"
RELEASE_REQUESTED = "release.requested"
RELEASE_EXPIRED = "release.expired"
RELEASE_FAILED = "release.failed"
PERSON_ADDED = "person.added"
PERSON_DATES = "person.dates"
CARD_ADDED = "card.added"
CARD_REVOKED = "card.revoked"
HOLIDAY_ADDED = "holiday.added"
HOLIDAY_REMOVED = "holiday.removed"
DEVICE_ADOPTED = "device.adopted"
DEVICE_ANNOUNCED = "device.announced"
DEVICE_APPROVED = "device.approved"
DEVICE_REVOKED = "device.revoked"
TAMPER = "tamper"
UNREADABLE = "unreadable"
LOGIN = "login"
LOGIN_FAILED = "login.failed"
LOGIN_LOCKED = "login.locked"
LOGOUT = "logout"
OPERATOR_ADDED = "operator.added"
OPERATOR_CHANGED = "operator.changed"
OPERATOR_REMOVED = "operator.removed"
OPERATOR_UNLOCKED = "operator.unlocked"
ROLE_CHANGED = "role.changed"
TOKEN_ADDED = "token.added"  # noqa: S105 - the kind of a row
TOKEN_REVOKED = "token.revoked"  # noqa: S105 - ditto
BROKER_USER = "broker.user"
BROKER_RULE = "broker.rule"
OVERTAKEN = "cache.overtaken"
REKEY_REQUESTED = "rekey.requested"
REKEYED = "device.rekeyed"
LOG_GAP = "log.gap"
LIGHT_SET = "light.set"
LOST = "lost"
FIRMWARE_SIGNED = "firmware.signed"
FIRMWARE_ADDED = "firmware.added"
DEVICE_TRUSTS = "device.trusts"
UPDATE_OFFERED = "update.offered"
UPDATE_INSTALLED = "update.installed"
UPDATE_CONFIRMED = "update.confirmed"
UPDATE_ROLLED_BACK = "update.rolled_back"
UPDATE_REFUSED = "update.refused"
UPDATE_FAILED = "update.failed"
UPDATE_STOPPED = "update.stopped"
UPDATE_CANCELLED = "update.cancelled"
BOARD_FAILED = "board.failed"
FLIGHT = "board.flight"
SELFTEST = "selftest.requested"

# About the audit itself. `request` names the rows that such a row is about, as 3-17.
CHAINED = "audit.chained"
BROKEN = "audit.broken"
RESTORED = "audit.restored"
UNPROVEN = "audit.unproven"
ERASED = "audit.erased"
EXPORTED = "audit.exported"

GATEWAY = "gateway"
BOARD = "board"
OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One row, as it is stored. id 0: not stored yet.

    source: who decided or acted. reporter: who told us, the gateway itself or a board's log. request: what ties the
    two accounts of one tap together, unique with device and kind. entry: the entry of a board's log that
    it is taken from, as epoch.number:digest.
    """

    at_ms: int
    kind: str
    source: str
    reporter: str = GATEWAY
    device: str | None = None
    request: str | None = None
    door_id: str | None = None
    door_name: str | None = None
    person_id: int | None = None
    person: str | None = None
    card_tail: str | None = None
    granted: bool | None = None
    rule: int | None = None
    why: str | None = None
    actor: str | None = None
    note: str | None = None
    entry: str | None = None
    id: int = 0


def correction(stored: AuditRow, told: AuditRow) -> AuditRow | None:
    """The row that a second account of the same tap calls for; None when the two agree.

    Two accounts by the same reporter are one account sent twice: the first stands.
    """
    if stored.granted == told.granted or stored.reporter == told.reporter:
        return None
    note = f"{stored.reporter} said {_word(stored)}, {told.reporter} said {_word(told)}"
    return replace(told, kind=CORRECTION, note=note, id=0)


def _word(row: AuditRow) -> str:
    return "grant" if row.granted else "deny"
