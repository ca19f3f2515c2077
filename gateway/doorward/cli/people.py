"""`doorward people`: who may carry cards, and where they may go."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from doorward.cli.options import common, show
from doorward.cli.text import card_text, clean, table


@click.group()
def people() -> None:
    """People and their access levels."""


@people.command("add")
@click.argument("name")
@click.option("--level", "levels", multiple=True, help="An access level; may be given again.")
@common
def add(name: str, levels: tuple[str, ...], *, as_json: bool, data: Path | None) -> None:
    """Add a person called NAME."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.post("people", {"name": name, "levels": list(levels)})
    held = ", ".join(answer["levels"]) or "no access level yet"
    show(answer, clean(f"{answer['name']} is added: {held}"), as_json=as_json)


@people.command("list")
@common
def list_people(*, as_json: bool, data: Path | None) -> None:
    """Everybody, with their access levels and cards."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.get("people")
    rows = [(p["name"], ", ".join(p["levels"]) or None, _cards(p)) for p in answer]
    text = table(("name", "access levels", "cards"), rows)
    show(
        answer,
        text if rows else "nobody yet; add somebody with `doorward people add`",
        as_json=as_json,
    )


def _cards(person: Mapping[str, Any]) -> str | None:
    cards = (
        f"{card_text(c['tail'])}{' (revoked)' if c['revoked'] else ''}" for c in person["cards"]
    )
    return ", ".join(cards) or None
