"""Persons, their cards and their access levels: changed in one transaction with its audit row, effective at once."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from doorward.app.access.desk import RulesDesk
from doorward.app.names import clean_name
from doorward.app.views.access import Card, Level, LevelGrant, Person
from doorward.domain import audit, credentials, typed_codes
from doorward.domain.credentials import UID_SIZES, Credential, tail
from doorward.domain.explain import between_dates
from doorward.domain.holidays import YEARS, date_of, day_of
from doorward.domain.instants import instant
from doorward.domain.people import Dates
from doorward.domain.snapshot import Snapshot
from doorward.errors import Conflict, InvalidInput, NotFound
from doorward_core import codes


class PeopleDesk(RulesDesk):
    """What an operator does with people."""

    async def list(self) -> tuple[Person, ...]:
        """Everybody, by name."""
        snapshot = self._rulebook.snapshot
        cards = _cards(snapshot)
        names = {level.id: level.name for level in snapshot.rules.levels}
        return tuple(
            Person(
                person.id,
                person.name,
                person.active,
                tuple(sorted(names[level] for level in person.levels)),
                tuple(cards[person.id]),
                date_of(person.valid_from) if person.valid_from is not None else None,
                date_of(person.valid_until) if person.valid_until is not None else None,
            )
            for person in sorted(snapshot.rules.people, key=lambda person: person.name.casefold())
        )

    async def levels(self) -> tuple[Level, ...]:
        """All access levels, by name."""
        rules = self._rulebook.snapshot.rules
        schedules = {schedule.id: schedule.name for schedule in rules.schedules}
        doors = {door.id: door.name for door in rules.doors}
        return tuple(
            Level(
                level.id,
                level.name,
                tuple(
                    LevelGrant(door, doors[door], schedules[schedule])
                    for door, schedule in sorted(level.grants)
                ),
            )
            for level in sorted(rules.levels, key=lambda level: level.name.casefold())
        )

    async def add(
        self,
        name: str,
        levels: Sequence[str] = (),
        *,
        valid_from: date | None = None,
        valid_until: date | None = None,
        actor: str,
    ) -> Person:
        """Add a person. Raises InvalidInput, Conflict, or NotFound for a level that there is not."""
        name = clean_name(name, "name")
        dates = _dates(valid_from, valid_until)
        if levels and not self._rulebook.snapshot.rules.levels:
            raise NotFound(
                "there are no access levels here yet",
                "levels of your own come with a later release; until then add people without --level",
                field="levels",
            )
        row = self._row(audit.PERSON_ADDED, actor, f"{name} was added.", person=name)
        await self._publish(await self._store.add_person(name, levels, row, dates))
        return await self._named(name)

    async def set_dates(
        self, person: str, valid_from: date | None, valid_until: date | None, *, actor: str
    ) -> Person:
        """Say between which days somebody may pass. Raises InvalidInput or NotFound."""
        dates, name = _dates(valid_from, valid_until), self._name(person)
        known = next(one for one in self._rulebook.snapshot.rules.people if one.name == name)
        why = f"{name} may pass {between_dates(*dates)}."
        row = self._row(audit.PERSON_DATES, actor, why, person=name)
        await self._publish(await self._store.set_dates(known.id, dates, row))
        return await self._named(name)

    async def _named(self, name: str) -> Person:
        return next(person for person in await self.list() if person.name == name)

    async def add_card(self, uid: bytes, person: str, *, actor: str) -> Card:
        """Give a card to the person of that name. Raises InvalidInput, Conflict or NotFound."""
        _check(uid)
        holder = self._rulebook.snapshot.holder(uid)
        if holder is not None and holder.credential.revoked:
            raise Conflict("that card was revoked", "use another card", field="uid")
        name = self._name(person)
        why = f"A card was given to {name}."
        row = self._row(audit.CARD_ADDED, actor, why, person=name, card=uid)
        await self._publish(await self._store.add_card(uid, name, row))
        return _card(self._rulebook.snapshot, uid)

    async def add_code(
        self, person: str, code: str | None = None, *, actor: str
    ) -> tuple[Card, str]:
        """Give a code to the person of that name; returns it with its digits, made here without `code`.

        Raises InvalidInput, NotFound, or Conflict for a code that somebody has or had.
        """
        name = self._name(person)
        codes = self._codes()
        digits = typed_codes.make(card.uid for card in codes) if code is None else code
        uid = typed_codes.parse(digits)
        if any(card.uid == uid for card in codes):
            # Whose, and whether still, is nobody's business who may guess.
            raise Conflict(
                "that code cannot be had", "choose another, or have one made", field="code"
            )
        typed_codes.check_length(uid, [card.uid for card in codes if not card.revoked])
        row = self._row(
            audit.CARD_ADDED, actor, f"A code was given to {name}.", person=name, card=uid
        )
        await self._publish(await self._store.add_card(uid, name, row))
        return _card(self._rulebook.snapshot, uid), digits

    async def revoke_codes(self, person: str, *, actor: str) -> tuple[Card, ...]:
        """Revoke every code of the person of that name. Raises NotFound for who has none."""
        name = self._name(person)
        holds = {one.id for one in self._rulebook.snapshot.rules.people if one.name == name}
        codes = [card.uid for card in self._codes() if card.person in holds and not card.revoked]
        if not codes:
            raise NotFound(
                f"{name} has no code", "doorward people list shows who has which", field="person"
            )
        return tuple([await self.revoke_card(uid, actor=actor) for uid in codes])

    def _codes(self) -> Sequence[Credential]:
        known = self._rulebook.snapshot.rules.credentials
        return tuple(card for card in known if credentials.kind(card.uid) == credentials.CODE)

    async def revoke_card(self, uid: bytes, *, actor: str) -> Card:
        """Revoke a card. Raises InvalidInput, NotFound, or Conflict for one that was revoked already."""
        _check(uid)
        holder = self._rulebook.snapshot.holder(uid)
        if holder is None:
            raise NotFound(
                "nobody has that card", "doorward people list shows who has which", field="uid"
            )
        name, what = holder.person.name, credentials.kind(uid)
        if holder.credential.revoked:
            raise Conflict(
                f"that {what} of {name} was revoked already", "there is nothing to do", field="uid"
            )
        why = f"A {what} of {name} was revoked."
        row = self._row(audit.CARD_REVOKED, actor, why, person=name, card=uid)
        await self._publish(await self._store.revoke_card(uid, row))
        return _card(self._rulebook.snapshot, uid)

    def _name(self, person: str) -> str:
        wanted = " ".join(person.split()).casefold()
        for known in self._rulebook.snapshot.rules.people:
            if known.name.casefold() == wanted:
                return known.name
        raise NotFound(f"there is no {person}", "add the person first", field="person")


def _dates(first: date | None, last: date | None) -> Dates:
    for day, field in ((first, "valid_from"), (last, "valid_until")):
        if day is not None and day.year not in YEARS:
            raise InvalidInput(
                "that year is not one that boards know", "give one from 2000 to 2099", field=field
            )
    if first and last and last < first:
        raise InvalidInput(
            "the last day is before the first", "give a later one", field="valid_until"
        )
    return day_of(first) if first else None, day_of(last) if last else None


def _check(uid: bytes) -> None:
    if len(uid) not in UID_SIZES and not codes.is_code(uid):
        raise InvalidInput("that is no card number", "give 4, 7 or 10 bytes", field="uid")


def _card(snapshot: Snapshot, uid: bytes) -> Card:
    holder = snapshot.holder(uid)
    if holder is None:
        raise NotFound("the card was removed meanwhile", "doorward people list shows who has which")
    return _view(holder.credential, holder.person.name)


def _cards(snapshot: Snapshot) -> dict[int, list[Card]]:
    names = {person.id: person.name for person in snapshot.rules.people}
    cards: dict[int, list[Card]] = defaultdict(list)
    for card in snapshot.rules.credentials:
        cards[card.person].append(_view(card, names[card.person]))
    return cards


def _view(card: Credential, name: str) -> Card:
    return Card(card.id, tail(card.uid), name, card.revoked, instant(card.added_ms))
