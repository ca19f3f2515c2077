"""An update as somebody at a terminal follows it."""

import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from doorward.cli.text import clean

if TYPE_CHECKING:
    from doorward.cli.client import Api

_OVER = frozenset({"confirmed", "rolled back", "refused", "failed", "stopped", "cancelled"})
_LOOK_S = 0.5
_WORDS = {
    "waiting": "waits for the boards before it",
    "offered": "is fetching firmware {version}",
    "installed": "tries firmware {version}",
    "confirmed": "runs firmware {version}",
    "rolled back": "went back to the firmware before {version}",
    "refused": "did not take firmware {version}",
    "failed": "has not taken firmware {version}",
    "stopped": "keeps its firmware",
    "cancelled": "keeps its firmware, cancelled",
}


def follow(api: "Api", rollout: int, *, quiet: bool) -> Sequence[Mapping[str, Any]]:
    """Wait for the end of a roll-out, with a bar for each board; ^C ends the waiting and nothing else."""
    bars = not quiet and sys.stderr.isatty()
    told = ""
    while True:
        found = [one for one in api.get("updates") if one["rollout"] == rollout]
        at_work = [one for one in found if one["state"] not in _OVER]
        if bars:
            told = _draw(at_work, told)
        if not at_work:
            return found
        time.sleep(_LOOK_S)


def outcome(one: Mapping[str, Any]) -> str:
    """One board in one line."""
    words = _WORDS.get(one["state"], one["state"]).format(version=one["version"])
    apart = " " if one["state"] == "cancelled" else ": "
    return clean(
        f"{one['device']} {words}" + (f"{apart}{one['meaning']}" if one["meaning"] else "")
    )


def _draw(at_work: Sequence[Mapping[str, Any]], told: str) -> str:
    busy = next((one for one in at_work if one["state"] != "waiting"), None)
    line = ""
    if busy is not None:
        done = busy["percent"] * 30 // 100
        line = f"{outcome(busy)}  [{'#' * done}{'-' * (30 - done)}] {busy['percent']} %"
    if line != told:
        click.echo("\r" + line.ljust(len(told)), nl=False, err=True)
    if not line and told:
        click.echo("\r", nl=False, err=True)
    return line
