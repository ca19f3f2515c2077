"""`doorward door`: the doors as last heard of, and their remote release."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doorward.cli.failure import Failure
from doorward.cli.options import common, show
from doorward.cli.text import clean, local_time, table

if TYPE_CHECKING:
    from doorward.cli.client import Api

_POLL_S = 0.1
# The gateway itself ends a release when its time is up; this much later it is the gateway that says nothing.
_PATIENCE_S = 30.0

_LOCKS = {True: "locked", False: "unlocked", None: None}
_OUTCOMES = {
    "opened": "{door} opened: its board says so",
    "unknown": "unknown whether {door} opened: its board says nothing; see `doorward audit list --door {id}`",
    "expired": "{door} did not open in time and will not any more; is its board online? see `doorward door list`",
    "failed": "{door} did not open: {note}; see `doorward doctor`",
}

_ENDS = {
    "opened": "{door} {again}: its board says so",
    "unknown": "unknown whether {door} {again}; see `doorward audit list --door {id}`",
    "expired": "{door} did not answer in time; is its board online? see `doorward door list`",
    "failed": "nothing ended at {door}: {note}",
}
_AGAIN = {"end_wait": "looks at codes again", "end_lockout": "lets people try again"}


@click.group()
def door() -> None:
    """Doors and their boards."""


@door.command("list")
@common
def list_doors(*, as_json: bool, data: Path | None) -> None:
    """Every door, as its board last told."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.get("doors")
    rows = [_row(view) for view in answer]
    heads = ("door", "name", "board", "lock", "contact", "alarm", "last heard")
    show(answer, table(heads, rows) if rows else "no door is set up yet", as_json=as_json)


def _row(view: Mapping[str, Any]) -> tuple[object, ...]:
    return (
        view["id"],
        view["name"],
        "online" if view["online"] else "offline",
        _LOCKS[view["locked"]],
        view["contact"],
        view["alarm"],
        local_time(view["heard_at"]),
    )


@door.command("open")
@click.argument("name")
@common
def open_door(name: str, *, as_json: bool, data: Path | None) -> None:
    """Release the door NAME once, and wait until its board says that it did.

    Ends with 0 only when the board reported the opening.
    """
    from doorward.cli.client import Api, part

    with Api(data) as api:
        release = follow(api, api.post(f"doors/{part(name)}/open"))
    line = _OUTCOMES[release["state"]].format(
        door=release["door_name"],
        id=release["door_id"],
        note=release["note"] or "its board refused",
    )
    if release["state"] != "opened":
        raise Failure(line, code=release["state"])
    show(release, clean(line), as_json=as_json)


@door.command("end-wait")
@click.argument("name")
@common
def end_wait(name: str, *, as_json: bool, data: Path | None) -> None:
    """Have the keypad of the door NAME look at codes again, and wait until its board says so. It opens nothing.

    What was typed wrong goes on to count: the next wrong code has it wait longer, and that wait ends by time alone.
    At a vault it ends the lockout. Ends with 0 only when the board reported the end.
    """
    from doorward.cli.client import Api, part

    with Api(data) as api:
        ended = follow(api, api.post(f"doors/{part(name)}/end-wait"))
    line = _ENDS[ended["state"]].format(
        door=ended["door_name"],
        id=ended["door_id"],
        again=_AGAIN[ended["kind"]],
        note=ended["note"] or "its board refused",
    )
    if ended["state"] != "opened":
        raise Failure(line, code=ended["state"])
    show(ended, clean(line), as_json=as_json)


def follow(api: "Api", release: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a release until the board's event or its expiry is known, or patience ends."""
    give_up = time.monotonic() + _PATIENCE_S
    while release["state"] == "unknown" and time.monotonic() < give_up:
        time.sleep(_POLL_S)
        release = _latest(api, release)
    return release


def _latest(api: "Api", release: Mapping[str, Any]) -> Mapping[str, Any]:
    for view in api.get("doors"):
        newest: Mapping[str, Any] | None = view["release"]
        if newest is not None and newest["id"] == release["id"]:
            return newest
    return release
