"""Firmware for boards in gateway.db, and what each board was told to run."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects.sqlite import insert

from doorward.adapters.store import tables as t
from doorward.app.records import Firmware
from doorward.domain.updates import UpdateOrder
from doorward.errors import NotFound

_HELD = [column for column in t.firmware.c if column.name != "bundle"]


def firmwares(connection: Connection) -> tuple[Firmware, ...]:
    """Every bundle that is kept, without its content."""
    return tuple(Firmware(**row) for row in connection.execute(select(*_HELD)).mappings())


def firmware(connection: Connection, version: str) -> bytes:
    """The bundle of a version. Raises NotFound."""
    query = select(t.firmware.c.bundle).where(t.firmware.c.version == version)
    found: bytes | None = connection.execute(query).scalar()
    if found is None:
        raise NotFound(f"there is no firmware {version}", field="version")
    return found


def put_firmware(connection: Connection, held: Firmware, bundle: bytes) -> None:
    """Keep a bundle, in place of one with its version."""
    _replace(connection, t.firmware, "version", {**asdict(held), "bundle": bundle})


def orders(connection: Connection) -> tuple[UpdateOrder, ...]:
    """The newest order of every board."""
    rows = connection.execute(select(t.update_order)).mappings()
    return tuple(UpdateOrder(**row) for row in rows)


def put_orders(connection: Connection, changed: Sequence[UpdateOrder]) -> None:
    """Write orders in place of those that their boards had."""
    for order in changed:
        _replace(connection, t.update_order, "device", asdict(order))


def _replace(connection: Connection, table: Table, key: str, values: dict[str, object]) -> None:
    statement = insert(table).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=[key], set_=values))
