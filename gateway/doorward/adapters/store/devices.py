"""The boards of the site in gateway.db."""

from dataclasses import asdict

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects.sqlite import insert

from doorward.adapters.store import tables as t
from doorward.domain.devices import Registration
from doorward.domain.doors import Door


def registrations(connection: Connection) -> tuple[Registration, ...]:
    """Every board that was ever adopted."""
    return tuple(Registration(**row) for row in connection.execute(select(t.device)).mappings())


def put(connection: Connection, device: Registration) -> None:
    """Write what is known of a board."""
    _replace(connection, t.device, asdict(device))


def keep_door(connection: Connection, door: Door) -> None:
    """Write a door, in place of the one with that id if there is one."""
    _replace(connection, t.door, {name: getattr(door, name) for name in door.__slots__})


def _replace(connection: Connection, table: Table, values: dict[str, object]) -> None:
    statement = insert(table).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
