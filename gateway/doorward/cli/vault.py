"""`doorward vault`: vaults as last heard of, and the end of a lockout by challenge."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from doorward.cli.door import follow
from doorward.cli.failure import Failure
from doorward.cli.options import common, show
from doorward.cli.text import clean, local_time, table

_OUTCOMES = {
    "opened": "the lockout of {door} is over: its board says so",
    "unknown": "unknown whether the lockout of {door} is over: see `doorward vault status {id}`",
    "expired": "{door} did not answer in time; is its board online? see `doorward vault list`",
    "failed": "the lockout of {door} goes on: {note}",
}


@click.group()
def vault() -> None:
    """Vaults and their lockout."""


@vault.command("list")
@common
def list_vaults(*, as_json: bool, data: Path | None) -> None:
    """Every vault, as its board last told."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.get("vaults")
    heads = ("vault", "name", "board", "state", "attempts", "until", "last heard")
    rows = [
        (
            one["id"],
            one["name"],
            "online" if one["online"] else "offline",
            one["vault"],
            one["attempts"],
            _until(one),
            local_time(one["heard_at"]),
        )
        for one in answer
    ]
    show(answer, table(heads, rows) if rows else "no vault has been heard of yet", as_json=as_json)


@vault.command("status")
@click.argument("name")
@common
def status(name: str, *, as_json: bool, data: Path | None) -> None:
    """What the vault NAME says of itself."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = _named(api.get("vaults"), name)
    rows: list[tuple[object, ...]] = [
        ("name", answer["name"]),
        ("board", "online" if answer["online"] else "offline"),
        ("state", answer["vault"]),
        ("attempts", answer["attempts"]),
        ("locked out until", _until(answer)),
        ("alarm", answer["alarm"]),
        ("battery mV", answer["battery_mv"]),
        ("last heard", local_time(answer["heard_at"])),
    ]
    show(answer, table(("what", "is"), rows), as_json=as_json)


@vault.command("release")
@click.argument("name")
@common
def release(name: str, *, as_json: bool, data: Path | None) -> None:
    """End the lockout of the vault NAME, and wait until its board says so. It stays locked; `door open` unlocks it.

    Ends with 0 only when the board reported it.
    """
    from doorward.cli.client import Api, part

    with Api(data) as api:
        ended = follow(api, api.post(f"vaults/{part(name)}/release"))
    line = _OUTCOMES[ended["state"]].format(
        door=ended["door_name"], id=ended["door_id"], note=ended["note"] or "its board refused"
    )
    if ended["state"] != "opened":
        raise Failure(line, code=ended["state"])
    show(ended, clean(line), as_json=as_json)


def _named(vaults: list[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    for one in vaults:
        if name == one["id"] or name.casefold() == one["name"].casefold():
            return one
    known = ", ".join(one["id"] for one in vaults) or "none yet"
    raise Failure(f"there is no vault {name!r}; known: {known}", code="not_found")


def _until(view: Mapping[str, Any]) -> str | None:
    lockout = view["lockout"]
    if lockout is None:
        return None
    return local_time(lockout["until"]) if lockout["until"] else "it is released"
