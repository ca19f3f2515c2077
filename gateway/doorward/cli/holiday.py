"""`doorward holiday`: the days on which schedules are off."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from doorward.cli.kinds import DAY
from doorward.cli.options import common, show
from doorward.cli.text import clean, table


@click.group()
def holiday() -> None:
    """Holidays: schedules are off, but for their windows for holidays.

    Who may always pass may pass on holidays, too.
    """


@holiday.command("add")
@click.argument("name")
@click.argument("first", metavar="DATE", type=DAY)
@click.option("--until", "last", type=DAY, help="The last day, where it is more than one.")
@click.option("--yearly", is_flag=True, help="Every year on these days.")
@common
def add(
    name: str, first: str, last: str | None, *, yearly: bool, as_json: bool, data: Path | None
) -> None:
    """Make DATE (2026-12-25) a holiday called NAME."""
    from doorward.cli.client import Api

    order = {"name": name, "first": first, "last": last, "yearly": yearly}
    with Api(data) as api:
        answer = api.post("holidays", order)
    show(answer, clean(f"{answer['name']} is a holiday: {_days(answer)}"), as_json=as_json)


@holiday.command("list")
@common
def list_holidays(*, as_json: bool, data: Path | None) -> None:
    """All holidays; the one that comes next is first."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.get("holidays")
    rows = [(one["name"], _days(one), one["next"] or "over") for one in answer]
    text = table(("name", "days", "next"), rows)
    show(
        answer,
        text if rows else "none yet; add one with `doorward holiday add`",
        as_json=as_json,
    )


@holiday.command("remove")
@click.argument("name")
@common
def remove(name: str, *, as_json: bool, data: Path | None) -> None:
    """Make the holiday NAME a day like others again."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.post("holidays/remove", {"name": name})
    show(answer, clean(f"{answer['name']} is no holiday any more"), as_json=as_json)


def _days(one: Mapping[str, Any]) -> str:
    first, last = one["first"], one["last"]
    if one["yearly"]:
        first, last = first[5:], last[5:]
    days = first if first == last else f"{first} to {last}"
    return f"{days}, every year" if one["yearly"] else str(days)
