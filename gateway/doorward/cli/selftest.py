"""`doorward doctor NAME`: a board looks at itself, and the next wire to move is named."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doorward.cli.failure import Failure
from doorward.cli.text import clean

if TYPE_CHECKING:
    from doorward.cli.client import Api

_POLL_S = 0.2
# The gateway gives a board up itself; this much later it is the gateway that says nothing.
_PATIENCE_S = 90.0

_PULL = (
    "the door has to be shut: pull at it now, and go on pulling; first the lock holds, then it lets go "
    "(if it does not, open the door by its handle or key)"
)
_STATES = {"watching": _PULL, "released": "the lock was asked to let go"}
_READ = {
    "board": "the board itself",
    "flash": "its flash",
    "inputs": "its buttons and sensors",
    "reader": "its card reader",
    "broker": "what the broker lets it say",
    "lock": "its lock and door contact",
}


def ask(data: Path | None, name: str, *, move: bool, clicked: bool | None, quiet: bool) -> Any:
    """Have the board NAME (or the board of the door NAME) test itself; returns the gateway's answer when it is over.

    quiet: say nothing meanwhile, and ask nothing. Raises Failure, also when the test came to nothing.
    """
    from doorward.cli.client import Api, part

    with Api(data) as api:
        path = f"devices/{part(_board(api, name))}/selftest"
        test = _follow(api, path, api.post(path, {"move": move}), quiet=quiet)
        if test["unsure"] and clicked is None and not quiet:
            clicked = _asked()
        if clicked is not None and "lock" in test["readings"]:
            test = api.post(f"{path}/heard", {"click": clicked})
    if test["state"] == "failed":
        raise Failure(f"{test['device']}: {test['note']}", code="failed")
    return test


def told(test: Mapping[str, Any]) -> str:
    """The outcome for people: what to do next first."""
    read = ", ".join(_READ.get(part, part) for part in test["readings"])
    findings = test["findings"]
    if not findings:
        return clean(f"{test['device']}: all is well; it looked at {read}")
    first, *others = findings
    lines = [f"{test['device']}: {first['what']}", f"next: {first['remedy']}"]
    lines += [f"then: {one['sentence']}" for one in others]
    return "\n".join(clean(line) for line in lines)


def _board(api: "Api", name: str) -> str:
    """The id of a board by its own, or by the id or name of the door that it keeps."""
    for board in api.get("devices"):
        door = (board["door_id"], (board["door_name"] or "").casefold())
        if name in (board["id"], door[0]) or (door[1] and name.casefold() == door[1]):
            return str(board["id"])
    return name


def _follow(api: "Api", path: str, test: Any, *, quiet: bool) -> Any:
    shown: set[str] = set()
    give_up = time.monotonic() + _PATIENCE_S
    while True:
        if not quiet:
            _progress(test, shown)
        if not test["running"] or time.monotonic() > give_up:
            return test
        time.sleep(_POLL_S)
        test = api.get(path)


def _progress(test: Mapping[str, Any], shown: set[str]) -> None:
    """Say what is new, on stderr: stdout is for the outcome."""
    for part in test["readings"]:
        if part not in shown:
            click.echo(clean(f"{test['device']} has looked at {_READ.get(part, part)}"), err=True)
    if test["state"] in _STATES and test["state"] not in shown:
        click.echo(_STATES[test["state"]], err=True)
    shown |= {*test["readings"], test["state"]}


def _asked() -> bool | None:
    """What somebody says who is asked; None where nobody is there."""
    if not sys.stdin.isatty():
        return None
    return click.confirm("Did the relay click?", err=True)
