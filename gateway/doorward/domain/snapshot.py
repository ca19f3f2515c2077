"""The rules compiled for decisions: immutable, one dictionary look-up per card, never a database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from doorward.domain.credentials import Credential, tail
from doorward.domain.doors import Door
from doorward.domain.holidays import Days, Holiday, between, names_of
from doorward.domain.levels import AccessLevel
from doorward.domain.people import Person
from doorward.domain.schedules import Schedule, Windows
from doorward_core import access, access_values, records_build


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that decisions depend on, as it is stored."""

    people: tuple[Person, ...] = ()
    credentials: tuple[Credential, ...] = ()
    doors: tuple[Door, ...] = ()
    levels: tuple[AccessLevel, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    holidays: tuple[Holiday, ...] = ()


class Holder(NamedTuple):
    """Whose a card is."""

    credential: Credential
    person: Person
    group: int


class CacheContent(NamedTuple):
    """What the board of one door is told, with UIDs where its file will have tags."""

    windows: list[tuple[int, int, int, int, int]]
    persons: list[tuple[int | None, int | None, int]]
    cards: list[tuple[bytes, int, int]]


class Snapshot:
    """One state of the rules. A change makes a new snapshot; who decides holds on to theirs."""

    def __init__(self, rules: Rules = Rules()) -> None:
        self.rules = rules
        self.doors = {door.id: door for door in rules.doors}
        self.by_device = {door.device: door for door in rules.doors}
        self._policies = {
            door.id: access_values.Door(door.min_strength, door.lockdown) for door in rules.doors
        }
        people = {person.id: person for person in rules.people}
        groups = _groups(rules.people)
        self._windows = _windows(rules, groups)
        self._holders = {
            card.uid: Holder(card, people[card.person], groups[people[card.person].levels])
            for card in rules.credentials
        }
        # People come one after the other on the same day.
        self._state: tuple[int, access_values.State] = -1, access_values.State()
        self._by_tail: dict[str, list[Holder]] = {}
        for uid, holder in self._holders.items():
            self._by_tail.setdefault(tail(uid).upper(), []).append(holder)

    def holder(self, uid: bytes) -> Holder | None:
        """Whose card this is, None for a card that nobody here knows."""
        return self._holders.get(uid)

    def holders(self, tail: str) -> Sequence[Holder]:
        """The few whose card ends in these four digits; with CODE, those who have a code."""
        return self._by_tail.get(tail.upper(), ())

    def policy(self, door_id: str) -> access_values.Door:
        """What `access.decide` needs of this door."""
        return self._policies[door_id]

    def windows(self, holder: Holder, door_id: str) -> Windows:
        """When the holder's access levels admit at this door; () = never."""
        return self._windows.get((door_id, holder.group), ())

    def state(self, day: int) -> access_values.State:
        """What `access.decide` needs of the site on this day and in the night before it."""
        known, state = self._state
        if known != day:
            state = access_values.State(holidays=between(self.rules.holidays, day - 1, day))
            self._state = day, state
        return state

    def holidays(self, first: int, last: int) -> Days:
        """What a board is told that decides on these days."""
        return between(self.rules.holidays, first, last)

    def holiday(self, day: int) -> str | None:
        """What this day is called, if it is a holiday."""
        return ", ".join(names_of(self.rules.holidays, day)) or None

    def credential(self, holder: Holder | None, door_id: str) -> access.Credential | None:
        """What `access.decide` needs of this card at this door."""
        if holder is None:
            return None
        card, person, group = holder
        return access.Credential(
            person.id,
            group,
            self._windows.get((door_id, group), ()),
            person.valid_from,
            person.valid_until,
            card.strength,
            card.revoked,
            person.active,
        )

    def cache_content(self, door_id: str) -> CacheContent:
        """Who may ever pass this door. Cards that are revoked or have no level here stay at home."""
        found = [
            (holder, (holder.credential.strength, windows))
            for holder in self._holders.values()
            if (windows := self.windows(holder, door_id))
        ]
        # Numbers of this file alone: what two bytes can name is people at one door, not in the world. Whose card is
        # revoked keeps theirs, or all after it would change, and with them every board's whole file.
        groups = {group: number for number, group in enumerate(sorted({g for _, g in found}))}
        people = {h.person.id: h.person for h, _ in found}
        places = {person: place for place, person in enumerate(sorted(people))}
        return CacheContent(
            [
                (number, strength, *window)
                for (strength, windows), number in groups.items()
                for window in windows
            ],
            [_person_row(people[person]) for person in places],
            sorted(
                (h.credential.uid, places[h.person.id], groups[group])
                for h, group in found
                if not h.credential.revoked
            ),
        )


def _person_row(person: Person) -> tuple[int | None, int | None, int]:
    flags = 0 if person.active else records_build.PERSON_INACTIVE
    return person.valid_from, person.valid_until, flags


def _groups(people: tuple[Person, ...]) -> dict[frozenset[int], int]:
    """A number for every set of access levels that somebody holds: people share most of them."""
    distinct = sorted({person.levels for person in people}, key=sorted)
    return {levels: number for number, levels in enumerate(distinct)}


def _windows(rules: Rules, groups: dict[frozenset[int], int]) -> dict[tuple[str, int], Windows]:
    schedules = {schedule.id: schedule.windows for schedule in rules.schedules}
    grants = {level.id: level.grants for level in rules.levels}
    found: dict[tuple[str, int], Windows] = {}
    for levels, group in groups.items():
        for level in sorted(levels):
            for door_id, schedule in sorted(grants[level]):
                key = (door_id, group)
                found[key] = found.get(key, ()) + schedules[schedule]
    return found
