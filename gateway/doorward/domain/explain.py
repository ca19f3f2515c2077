"""Rule numbers put into words: the name of a rule, and one sentence for a verdict."""

from collections.abc import Callable
from dataclasses import dataclass

from doorward.domain.holidays import date_of
from doorward_core import access_rules


@dataclass(frozen=True, slots=True)
class Facts:
    """What a sentence may mention. person None: nobody is known to hold the card."""

    door: str
    person: str | None = None
    windows: str | None = None  # as `schedules.describe` says it
    moment: str | None = None  # "Sat 10:05", at the door
    what: str = "card"  # or a code
    dates: str | None = None  # as `between_dates` says it, for who has any


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    passed: Callable[[Facts], str]
    denied: Callable[[Facts], str]


def _who(facts: Facts) -> str:
    return facts.person or "The holder"


def _when(facts: Facts) -> str:
    return f", and it was {facts.moment}" if facts.moment else ""


def _hours(facts: Facts) -> str:
    return facts.windows or "at other times"


def _hours_passed(facts: Facts) -> str:
    if facts.windows == "always":
        return f"always pass {facts.door}"
    return f"pass {facts.door} {facts.windows or 'now'}{_when(facts)}"


_RULES = {
    access_rules.RULE_KNOWN: _Rule(
        "known card",
        lambda f: f"The {f.what} belongs to {f.person or 'somebody known'}.",
        lambda f: f"Nobody here has this {f.what}.",
    ),
    access_rules.RULE_NOT_REVOKED: _Rule(
        "not revoked",
        lambda f: f"The {f.what} is not revoked.",
        lambda f: f"This {f.what} of {f.person or 'somebody'} was revoked.",
    ),
    access_rules.RULE_PERSON_ACTIVE: _Rule(
        "active person",
        lambda f: f"{_who(f)} is active.",
        lambda f: f"{_who(f)} is suspended.",
    ),
    access_rules.RULE_STRENGTH: _Rule(
        "strong enough",
        lambda f: f"{f.door} takes this kind of {f.what}.",
        lambda f: f"{f.door} wants a card that cannot be cloned.",
    ),
    access_rules.RULE_LOCKDOWN: _Rule(
        "no lockdown",
        lambda f: f"{f.door} is not in lockdown.",
        lambda f: f"{f.door} is in lockdown.",
    ),
    access_rules.RULE_HAS_LEVEL: _Rule(
        "access level",
        lambda f: f"{_who(f)} has an access level for {f.door}.",
        lambda f: f"{_who(f)} has no access level for {f.door}.",
    ),
    access_rules.RULE_CLOCK: _Rule(
        "clock known",
        lambda _: "The time is known, or does not matter.",
        lambda f: f"The time was not known, and {_who(f)} may pass at certain times only.",
    ),
    access_rules.RULE_VALID_DATES: _Rule(
        "valid dates",
        lambda f: f"The day lies within the dates of {_who(f)}.",
        lambda f: f"{_who(f)} may pass {f.dates or 'on other days'} only{_when(f)}.",
    ),
    access_rules.RULE_CACHE_FRESH: _Rule(
        "fresh records",
        lambda _: "The records are fresh.",
        lambda f: f"The board had not heard from the gateway for too long to admit {_who(f)}.",
    ),
    access_rules.RULE_SCHEDULE: _Rule(
        "schedule",
        lambda f: f"{_who(f)} may {_hours_passed(f)}.",
        lambda f: f"{_who(f)} may pass {f.door} {_hours(f)} only{_when(f)}.",
    ),
    access_rules.RULE_SITE: _Rule(
        "site rules",
        lambda _: "The rules that look at the whole site agree.",
        lambda _: "A rule that looks at the whole site forbids it.",
    ),
    access_rules.RULE_NO_ANSWER: _Rule(
        "answer in time",
        lambda _: "An answer came in time.",
        lambda f: f"No answer came in time, and {f.door} has no record of its own for this card.",
    ),
}

# What there is to say about the rules of the whole site at a door that has none: then nobody tries them.
NO_SITE_RULES = "None set."


def between_dates(first: int | None, last: int | None) -> str:
    """`from 2026-09-01 until 2026-12-18`, `on any day`. Days are since 2000-01-01, both included."""
    bounds = (("from", first), ("until", last))
    said = " ".join(f"{word} {date_of(day)}" for word, day in bounds if day is not None)
    return said or "on any day"


def rule_name(rule: int) -> str:
    """The short name of a rule; a number from a newer board is named by its number."""
    known = _RULES.get(rule)
    return known.name if known else f"rule {rule}"


def sentence(rule: int, granted: bool, facts: Facts) -> str:
    """Why, in one sentence."""
    known = _RULES.get(rule)
    if known is None:
        return f"Rule {rule} {'granted' if granted else 'denied'} it."
    return known.passed(facts) if granted else known.denied(facts)
