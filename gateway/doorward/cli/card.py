"""`doorward card`: give a card to somebody, take it away."""

from pathlib import Path

import click

from doorward.cli.kinds import UID
from doorward.cli.options import common, show
from doorward.cli.text import clean


@click.group()
def card() -> None:
    """Cards and who carries them."""


@card.command("add")
@click.argument("uid", type=UID)
@click.argument("person")
@common
def add(uid: str, person: str, *, as_json: bool, data: Path | None) -> None:
    """Give the card UID to PERSON."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.post("cards", {"uid": uid, "person": person})
    show(answer, clean(f"{answer['person']} carries card …{answer['tail']}"), as_json=as_json)


@card.command("revoke")
@click.argument("uid", type=UID)
@common
def revoke(uid: str, *, as_json: bool, data: Path | None) -> None:
    """Take the card UID away for good. No door accepts it from now on."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.post("cards/revoke", {"uid": uid})
    show(answer, clean(f"card …{answer['tail']} of {answer['person']} is revoked"), as_json=as_json)
