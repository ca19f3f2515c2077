"""`doorward people`: who may carry cards, and where they may go."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from doorward.cli.kinds import DAY
from doorward.cli.options import common, show
from doorward.cli.text import card_text, clean, table


@click.group()
def people() -> None:
    """People and their access levels."""


def _dates(command: Callable[..., None]) -> Callable[..., None]:
    first = click.option("--from", "first", type=DAY, help="The first day on which they may pass.")
    last = click.option("--until", "last", type=DAY, help="The last day on which they may pass.")
    return first(last(command))


@people.command("add")
@click.argument("name")
@click.option("--level", "levels", multiple=True, help="An access level; may be given again.")
@_dates
@common
def add(
    name: str,
    levels: tuple[str, ...],
    first: str | None,
    last: str | None,
    *,
    as_json: bool,
    data: Path | None,
) -> None:
    """Add a person called NAME."""
    from doorward.cli.client import Api

    order = {"name": name, "levels": list(levels), "valid_from": first, "valid_until": last}
    with Api(data) as api:
        answer = api.post("people", order)
    held = ", ".join(answer["levels"]) or "no access level yet"
    days = f", {_days(answer)}" if _days(answer) else ""
    show(answer, clean(f"{answer['name']} is added: {held}{days}"), as_json=as_json)


@people.command("dates")
@click.argument("name")
@_dates
@common
def dates(
    name: str, first: str | None, last: str | None, *, as_json: bool, data: Path | None
) -> None:
    """Say between which days NAME may pass; without an option, on any day."""
    from doorward.cli.client import Api

    order = {"person": name, "valid_from": first, "valid_until": last}
    with Api(data) as api:
        answer = api.post("people/dates", order)
    days = _days(answer) or "on any day"
    show(answer, clean(f"{answer['name']} may pass {days}"), as_json=as_json)


@people.command("list")
@common
def list_people(*, as_json: bool, data: Path | None) -> None:
    """Everybody, with their access levels and cards."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.get("people")
    rows = [(p["name"], ", ".join(p["levels"]) or None, _days(p), _cards(p)) for p in answer]
    text = table(("name", "access levels", "days", "cards"), rows)
    show(
        answer,
        text if rows else "nobody yet; add somebody with `doorward people add`",
        as_json=as_json,
    )


def _days(person: Mapping[str, Any]) -> str | None:
    bounds = (("from", person["valid_from"]), ("until", person["valid_until"]))
    return " ".join(f"{word} {day}" for word, day in bounds if day) or None


def _cards(person: Mapping[str, Any]) -> str | None:
    cards = (
        f"{card_text(c['tail'])}{' (revoked)' if c['revoked'] else ''}" for c in person["cards"]
    )
    return ", ".join(cards) or None
