"""The rules compiled for decisions: immutable, one dictionary look-up per card, never a database."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from doorward.domain.credentials import Credential
from doorward.domain.doors import Door
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


class Holder(NamedTuple):
    """Whose a card is."""

    credential: Credential
    person: Person
    group: int


class CacheContent(NamedTuple):
    """What the board of one door is told, with UIDs where its file will have tags."""

    windows: list[tuple[int, int, int, int]]
    persons: list[tuple[int, int | None, int | None, int]]
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

    def holder(self, uid: bytes) -> Holder | None:
        """Whose card this is, None for a card that nobody here knows."""
        return self._holders.get(uid)

    def holders(self) -> Iterable[Holder]:
        """Every card with its person."""
        return self._holders.values()

    def policy(self, door_id: str) -> access_values.Door:
        """What `access.decide` needs of this door."""
        return self._policies[door_id]

    def windows(self, holder: Holder, door_id: str) -> Windows:
        """When the holder's access levels admit at this door; () = never."""
        return self._windows.get((door_id, holder.group), ())

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
            (holder, self.windows(holder, door_id))
            for holder in self._holders.values()
            if not holder.credential.revoked
        ]
        found = [(holder, windows) for holder, windows in found if windows]
        numbers = {windows: number for number, windows in enumerate(sorted({w for _, w in found}))}
        persons = {holder.person.id: _person_row(holder) for holder, _ in found}
        return CacheContent(
            [(number, *window) for windows, number in numbers.items() for window in windows],
            sorted(persons.values(), key=lambda row: row[0]),
            sorted((h.credential.uid, h.person.id, numbers[windows]) for h, windows in found),
        )


def _person_row(holder: Holder) -> tuple[int, int | None, int | None, int]:
    person = holder.person
    flags = 0 if person.active else records_build.PERSON_INACTIVE
    if holder.credential.strength >= access.STRENGTH_CRYPTO:
        flags |= records_build.PERSON_CRYPTO
    return person.id, person.valid_from, person.valid_until, flags


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
