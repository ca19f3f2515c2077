"""What each board was told to hold, in gateway.db."""

from dataclasses import asdict

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert as upsert

from doorward.adapters.store import tables as t
from doorward.app.records import DeviceCache


def caches(connection: Connection) -> dict[str, DeviceCache]:
    """What each board was last told to hold."""
    rows = connection.execute(select(t.device_cache))
    return {row.device: DeviceCache(*row) for row in rows}


def put_cache(connection: Connection, cache: DeviceCache) -> None:
    """Remember what a board is told from now on."""
    values = asdict(cache)
    statement = upsert(t.device_cache).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=["device"], set_=values))
