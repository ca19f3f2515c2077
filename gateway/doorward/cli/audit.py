"""`doorward audit`: what happened, and why."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from doorward.cli.options import common, show
from doorward.cli.text import local_time, table

_HEADS = ("time", "door", "what", "who", "card", "why", "source")
_VERDICTS = {True: "granted", False: "denied"}


@click.group()
def audit() -> None:
    """The audit: every decision, door event and change."""


@audit.command("list")
@click.option("--door", help="Of this door alone, by name or id.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@common
def list_entries(door: str | None, limit: int, *, as_json: bool, data: Path | None) -> None:
    """The newest entries, newest first."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.get("audit", door=door, limit=limit)
    rows = [_row(entry) for entry in answer]
    show(answer, table(_HEADS, rows) if rows else "nothing has happened yet", as_json=as_json)


def _row(entry: Mapping[str, Any]) -> tuple[object, ...]:
    return (
        local_time(entry["at"]),
        entry["door_name"],
        _VERDICTS.get(entry["granted"], entry["kind"]),
        entry["person"] or entry["actor"],
        f"…{entry['card_tail']}" if entry["card_tail"] else None,
        entry["why"] or entry["note"],
        entry["source"],
    )
