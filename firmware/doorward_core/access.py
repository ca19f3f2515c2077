# Who may pass: one pure function, the same on the gateway and on the board.
#
# Each side looks the credential up itself and hands over what it found. Rules are tried in a
# fixed order; the first that settles it is the decision's rule, and the trace is the rules that
# were passed on the way, so that every answer can be explained afterwards.

from doorward_core import schedule
from doorward_core.compat import MYPY, const

if MYPY:
    from doorward_core.access_values import Door, Request, State

DENY = const(0)
GRANT = const(1)
NEEDS_GATEWAY = const(2)

# How hard a credential is to copy. A UID can be cloned; a challenge-response card cannot.
STRENGTH_UID = const(1)
STRENGTH_CRYPTO = const(2)

# Rules in the order in which they are tried. access_rules has their public names.
_KNOWN = const(1)
_NOT_REVOKED = const(2)
_PERSON_ACTIVE = const(3)
_STRENGTH = const(4)
_LOCKDOWN = const(5)
_HAS_LEVEL = const(6)
_CLOCK = const(7)
_VALID_DATES = const(8)
_CACHE_FRESH = const(9)
_SCHEDULE = const(10)
_SITE = const(11)


class Credential:
    # What a look-up found at this door. Days are since 2000-01-01, None = no bound, both ends
    # included. windows: when this credential's access levels admit it here; () = never.
    __slots__ = (
        "person",
        "group",
        "strength",
        "revoked",
        "active",
        "valid_from",
        "valid_until",
        "windows",
        "always",
    )

    def __init__(
        self,
        person: int,
        group: int,
        windows: "tuple[tuple[int, int, int], ...]",
        valid_from: "int | None" = None,
        valid_until: "int | None" = None,
        strength: int = STRENGTH_UID,
        revoked: bool = False,
        active: bool = True,
    ) -> None:
        self.person = person
        self.group = group
        self.strength = strength
        self.revoked = revoked
        self.active = active
        self.valid_from = valid_from
        self.valid_until = valid_until
        self.windows = windows
        self.always = schedule.is_always(windows)


class Decision:
    # verdict: DENY, GRANT or NEEDS_GATEWAY; rule: the number that settled it; trace: the rules
    # tried, in order, the last being rule. Shared between calls: never change one.
    __slots__ = ("verdict", "rule", "trace")

    def __init__(self, verdict: int, rule: int, trace: "tuple[int, ...]") -> None:
        self.verdict = verdict
        self.rule = rule
        self.trace = trace


# Made on first use and shared from then on: a decision allocates nothing, and a board keeps only
# those that its people bring about.
_MADE: "dict[int, Decision]" = {}


def _decision(verdict: int, rule: int) -> Decision:
    made = _MADE.get(verdict << 8 | rule)
    if made is None:
        made = _MADE[verdict << 8 | rule] = Decision(verdict, rule, tuple(range(1, rule + 1)))
    return made


def decide(  # noqa: C901, PLR0911 - the rules in their order, one by one, are the point
    credential: "Credential | None",
    door: "Door",
    request: "Request",
    local_minute: "int | None",
    day: "int | None",
    state: "State",
) -> Decision:
    # The decision for a presented credential. local_minute 0..1439 and day since 2000-01-01, both
    # None while the clock is not known. door, request and state are what access_values has, or
    # anything with those fields. Pure: no clock, no look-up, no memory.
    if credential is None:
        return _decision(DENY, _KNOWN)
    if credential.revoked:
        return _decision(DENY, _NOT_REVOKED)
    if not credential.active:
        return _decision(DENY, _PERSON_ACTIVE)
    if min(credential.strength, request.strength) < door.min_strength:
        return _decision(DENY, _STRENGTH)
    if door.lockdown:
        return _decision(DENY, _LOCKDOWN)
    if not credential.windows:
        return _decision(DENY, _HAS_LEVEL)
    dated = credential.valid_from is not None or credential.valid_until is not None
    if day is None or local_minute is None:
        if dated or not credential.always:
            return _decision(DENY, _CLOCK)
    else:
        if credential.valid_from is not None and day < credential.valid_from:
            return _decision(DENY, _VALID_DATES)
        if credential.valid_until is not None and day > credential.valid_until:
            return _decision(DENY, _VALID_DATES)
    if state.stale and (dated or not credential.always):
        return _decision(DENY, _CACHE_FRESH)
    if not credential.always and not schedule.contains(
        credential.windows, day or 0, local_minute or 0, state.holidays
    ):
        return _decision(DENY, _SCHEDULE)
    if not door.site_rules:
        return _decision(GRANT, _SCHEDULE)
    if state.site is None:
        return _decision(NEEDS_GATEWAY, _SITE)
    return _decision(GRANT, _SITE) if state.site else _decision(DENY, _SITE)
