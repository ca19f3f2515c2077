"""People, cards, doors, levels and schedules in gateway.db."""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from doorward.adapters.store import tables as t
from doorward.domain.credentials import Credential
from doorward.domain.doors import Door
from doorward.domain.holidays import Holiday
from doorward.domain.levels import AccessLevel
from doorward.domain.people import ANY_DAY, Dates, Person
from doorward.domain.schedules import Schedule, Windows
from doorward.domain.snapshot import Rules
from doorward.errors import Conflict, NotFound
from doorward_core.access import STRENGTH_UID


def load(connection: Connection) -> Rules:
    """Everything that decisions depend on, as one consistent view."""
    return Rules(
        people=_people(connection),
        credentials=tuple(
            Credential(
                row.id,
                row.uid,
                row.person_id,
                row.revoked_ms is not None,
                row.strength,
                row.added_ms,
            )
            for row in connection.execute(select(t.credential))
        ),
        doors=tuple(Door(**row) for row in connection.execute(select(t.door)).mappings()),
        levels=_levels(connection),
        schedules=_schedules(connection),
        holidays=tuple(
            Holiday(row.id, row.name, row.first_day, row.last_day, row.yearly)
            for row in connection.execute(select(t.holiday))
        ),
    )


def _people(connection: Connection) -> tuple[Person, ...]:
    levels = defaultdict(set)
    for row in connection.execute(select(t.person_level)):
        levels[row.person_id].add(row.level_id)
    return tuple(
        Person(
            row.id,
            row.name,
            row.active,
            row.valid_from,
            row.valid_until,
            frozenset(levels.get(row.id, ())),
        )
        for row in connection.execute(select(t.person))
    )


def _levels(connection: Connection) -> tuple[AccessLevel, ...]:
    grants = defaultdict(set)
    for row in connection.execute(select(t.level_grant)):
        grants[row.level_id].add((row.door_id, row.schedule_id))
    return tuple(
        AccessLevel(row.id, row.name, frozenset(grants.get(row.id, ())))
        for row in connection.execute(select(t.access_level))
    )


def _schedules(connection: Connection) -> tuple[Schedule, ...]:
    windows = defaultdict(list)
    for row in connection.execute(select(t.schedule_window).order_by(t.schedule_window.c.id)):
        windows[row.schedule_id].append((row.day_mask, row.start_minute, row.end_minute))
    return tuple(
        Schedule(row.id, row.name, tuple(windows.get(row.id, ())))
        for row in connection.execute(select(t.schedule))
    )


def add_person(
    connection: Connection,
    name: str,
    levels: Iterable[str],
    at_ms: int,
    dates: Dates = ANY_DAY,
) -> int:
    """Insert a person with these levels; returns the id. Raises Conflict or NotFound."""
    try:
        first, last = dates
        values = {"name": name, "active": True, "valid_from": first, "valid_until": last}
        person_id = _new(connection, t.person, added_ms=at_ms, **values)
    except IntegrityError as error:
        raise Conflict(
            f"there is a {name} already", "choose a name that tells them apart"
        ) from error
    for level in dict.fromkeys(levels):
        level_id = _id(connection, t.access_level, level, "access level")
        connection.execute(insert(t.person_level).values(person_id=person_id, level_id=level_id))
    return person_id


def set_dates(connection: Connection, person_id: int, dates: Dates) -> None:
    """Say between which days a person may pass."""
    found = update(t.person).where(t.person.c.id == person_id)
    connection.execute(found.values(valid_from=dates[0], valid_until=dates[1]))


def add_card(connection: Connection, uid: bytes, person: str, at_ms: int) -> int:
    """Give a card to a person, by name; returns its id. Raises Conflict or NotFound."""
    person_id = _id(connection, t.person, person, "person")
    values = {"uid": uid, "person_id": person_id, "strength": STRENGTH_UID, "added_ms": at_ms}
    try:
        return _new(connection, t.credential, **values)
    except IntegrityError as error:
        raise Conflict("that card belongs to somebody already", "revoke it first") from error


def revoke_card(connection: Connection, uid: bytes, at_ms: int) -> None:
    """Revoke a card; doing it twice is doing it once. Raises NotFound."""
    found = connection.execute(select(t.credential.c.id).where(t.credential.c.uid == uid)).first()
    if found is None:
        raise NotFound("nobody has that card", "doorward people list shows who has which")
    open_card = (t.credential.c.id == found.id) & t.credential.c.revoked_ms.is_(None)
    connection.execute(update(t.credential).where(open_card).values(revoked_ms=at_ms))


def add_holiday(connection: Connection, holiday: Holiday) -> int:
    """Insert a holiday; returns its id. Raises Conflict."""
    values = {
        "name": holiday.name,
        "first_day": holiday.first,
        "last_day": holiday.last,
        "yearly": holiday.yearly,
    }
    try:
        return _new(connection, t.holiday, **values)
    except IntegrityError as error:
        raise Conflict(
            f"there is a holiday {holiday.name} already", "remove it first", field="name"
        ) from error


def remove_holiday(connection: Connection, holiday_id: int) -> None:
    """Delete a holiday. Raises NotFound."""
    if connection.execute(delete(t.holiday).where(t.holiday.c.id == holiday_id)).rowcount == 0:
        raise NotFound("that holiday was removed already", "there is nothing to do", field="name")


def put_door(connection: Connection, door: Door) -> None:
    """Add a door; one with that id stays as it is."""
    if connection.execute(select(t.door.c.id).where(t.door.c.id == door.id)).first() is None:
        values = {name: getattr(door, name) for name in door.__slots__}
        connection.execute(insert(t.door).values(values))


def put_level(connection: Connection, name: str, doors: Iterable[str], schedule: str) -> None:
    """Add an access level that opens these doors by this schedule; one of that name stays."""
    if connection.execute(select(t.access_level.c.id).where(t.access_level.c.name == name)).first():
        return
    level_id = _new(connection, t.access_level, name=name)
    schedule_id = _id(connection, t.schedule, schedule, "schedule")
    for door_id in doors:
        values = {"level_id": level_id, "door_id": door_id, "schedule_id": schedule_id}
        connection.execute(insert(t.level_grant).values(values))


def put_schedule(connection: Connection, name: str, windows: Windows) -> None:
    """Add a schedule; one of that name stays as it is."""
    if connection.execute(select(t.schedule.c.id).where(t.schedule.c.name == name)).first():
        return
    schedule_id = _new(connection, t.schedule, name=name)
    for mask, start, end in windows:
        values = {
            "schedule_id": schedule_id,
            "day_mask": mask,
            "start_minute": start,
            "end_minute": end,
        }
        connection.execute(insert(t.schedule_window).values(values))


def _new(connection: Connection, table: Table, **values: object) -> int:
    key: int = connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one()
    return key


def _id(connection: Connection, table: Table, name: str, noun: str) -> int:
    found = connection.execute(select(table.c.id).where(table.c.name == name)).scalar()
    if found is None:
        known = connection.execute(select(table.c.name).order_by(table.c.name).limit(8)).scalars()
        names = ", ".join(known) or "none yet"
        raise NotFound(
            f"there is no {noun} {name!r}", f"known: {names}", field=noun.rsplit(maxsplit=1)[-1]
        )
    return int(found)
