# Who may pass: one pure function, the same on the gateway and on the board.
#
# Each side looks the credential up itself and hands over what it found. Rules are tried in a
# fixed order; the first that settles it is the decision's rule, and the trace is the rules that
# were passed on the way, so that every answer can be explained afterwards.

from doorward_core import schedule
from doorward_core.compat import const

DENY = const(0)
GRANT = const(1)
NEEDS_GATEWAY = const(2)

# How hard a credential is to copy. A UID can be cloned; a challenge-response card cannot.
STRENGTH_UID = const(1)
STRENGTH_CRYPTO = const(2)

# Rule numbers travel on the wire and stay in audits for years: never renumber, only add.
RULE_KNOWN = const(1)
RULE_NOT_REVOKED = const(2)
RULE_PERSON_ACTIVE = const(3)
RULE_STRENGTH = const(4)
RULE_LOCKDOWN = const(5)
RULE_HAS_LEVEL = const(6)
RULE_CLOCK = const(7)
RULE_VALID_DATES = const(8)
RULE_CACHE_FRESH = const(9)
RULE_SCHEDULE = const(10)
RULE_SITE = const(11)
# What a board says when nobody decided: no answer in time and no record of its own.
RULE_NO_ANSWER = const(12)


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


class Door:
    # The policy of the door: weakest strength it takes; lockdown admits nobody; site_rules says
    # that a rule needs the whole site (anti-passback, two-person), which only the gateway sees.
    __slots__ = ("min_strength", "lockdown", "site_rules")

    def __init__(
        self, min_strength: int = STRENGTH_UID, lockdown: bool = False, site_rules: bool = False
    ) -> None:
        self.min_strength = min_strength
        self.lockdown = lockdown
        self.site_rules = site_rules


class Request:
    # How the credential was presented: method "rfid", strength as proven by the reader.
    __slots__ = ("method", "strength")

    def __init__(self, method: str = "rfid", strength: int = STRENGTH_UID) -> None:
        self.method = method
        self.strength = strength


class State:
    # What the deciding side knows beside the credential. site: what the rules that need the whole
    # site say (True, False), None on a board, which cannot see it. stale: the board has not heard
    # from its gateway for longer than its cache allows for people with dates or schedules.
    __slots__ = ("site", "stale")

    def __init__(self, site: "bool | None" = None, stale: bool = False) -> None:
        self.site = site
        self.stale = stale


class Decision:
    # verdict: DENY, GRANT or NEEDS_GATEWAY; rule: the number that settled it; trace: the rules
    # tried, in order, the last being rule. Shared between calls: never change one.
    __slots__ = ("verdict", "rule", "trace")

    def __init__(self, verdict: int, rule: int, trace: "tuple[int, ...]") -> None:
        self.verdict = verdict
        self.rule = rule
        self.trace = trace


# The order in which decide() tries them.
ORDER = (
    RULE_KNOWN,
    RULE_NOT_REVOKED,
    RULE_PERSON_ACTIVE,
    RULE_STRENGTH,
    RULE_LOCKDOWN,
    RULE_HAS_LEVEL,
    RULE_CLOCK,
    RULE_VALID_DATES,
    RULE_CACHE_FRESH,
    RULE_SCHEDULE,
    RULE_SITE,
)

# Made on first use and shared from then on: a decision allocates nothing, and a board keeps only
# those that its people bring about.
_MADE: "dict[tuple[int, int], Decision]" = {}


def _decision(verdict: int, rule: int) -> Decision:
    made = _MADE.get((verdict, rule))
    if made is None:
        trace = ORDER[: ORDER.index(rule) + 1]
        made = _MADE[(verdict, rule)] = Decision(verdict, rule, trace)
    return made


def _deny(rule: int) -> Decision:
    return _decision(DENY, rule)


def decide(  # noqa: C901, PLR0911 - the rules in their order, one by one, are the point
    credential: "Credential | None",
    door: Door,
    request: Request,
    local_minute: "int | None",
    day: "int | None",
    state: State,
) -> Decision:
    # The decision for a presented credential. local_minute 0..1439 and day since 2000-01-01, both
    # None while the clock is not known. Pure: no clock, no look-up, no memory.
    if credential is None:
        return _deny(RULE_KNOWN)
    if credential.revoked:
        return _deny(RULE_NOT_REVOKED)
    if not credential.active:
        return _deny(RULE_PERSON_ACTIVE)
    if min(credential.strength, request.strength) < door.min_strength:
        return _deny(RULE_STRENGTH)
    if door.lockdown:
        return _deny(RULE_LOCKDOWN)
    if not credential.windows:
        return _deny(RULE_HAS_LEVEL)
    dated = credential.valid_from is not None or credential.valid_until is not None
    if day is None or local_minute is None:
        if dated or not credential.always:
            return _deny(RULE_CLOCK)
    else:
        if credential.valid_from is not None and day < credential.valid_from:
            return _deny(RULE_VALID_DATES)
        if credential.valid_until is not None and day > credential.valid_until:
            return _deny(RULE_VALID_DATES)
    if state.stale and (dated or not credential.always):
        return _deny(RULE_CACHE_FRESH)
    if not credential.always and not schedule.contains(
        credential.windows, day or 0, local_minute or 0
    ):
        return _deny(RULE_SCHEDULE)
    if not door.site_rules:
        return _decision(GRANT, RULE_SCHEDULE)
    if state.site is None:
        return _decision(NEEDS_GATEWAY, RULE_SITE)
    return _decision(GRANT, RULE_SITE) if state.site else _deny(RULE_SITE)
