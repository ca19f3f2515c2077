"""`doorward doctor`: why does it not work, and what to do next."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doorward.cli.failure import Failure
from doorward.cli.options import chosen_directory, common, show
from doorward.cli.text import clean, local_time, table

if TYPE_CHECKING:
    from doorward.cli.checks import Check, State


@click.command()
@click.argument("name", required=False)
@click.option(
    "--move", is_flag=True, help="Release the lock of NAME once, and watch the door meanwhile."
)
@click.option(
    "--clicked/--silent", default=None, help="Whether the relay was heard, so that nobody is asked."
)
@common
def doctor(
    name: str | None, clicked: bool | None, *, move: bool, as_json: bool, data: Path | None
) -> int:
    """Check the installation, whether or not the gateway runs; or NAME: a board, or that of a door.

    NAME tests itself, and the next wire to move is named. Nothing moves, unless --move consents to it: then the lock
    is released once, as by `doorward door open`, and the audit has it.

    Ends with 1 when something is wrong. A gateway that does not run is a note: it may be meant to stand still.
    """
    if name is not None:
        return _board_alone(name, data, move=move, clicked=clicked, as_json=as_json)
    if move or clicked is not None:
        raise click.UsageError("--move, --clicked and --silent need the NAME of a board")
    from doorward.cli.checks import is_alone, look

    directory = chosen_directory(data)
    heard = list(_ask(data, alone=is_alone(directory)))
    running = heard[0].state == "ok"
    checks = [*look(directory, running=running), *heard]
    ok = all(check.state != "FAIL" for check in checks)
    answer = {"ok": ok, "data": str(directory), "checks": [asdict(check) for check in checks]}
    text = clean(f"installation: {directory}") + "\n\n" + _tell(checks)
    show(answer, text, as_json=as_json)
    return 0 if ok else 1


def _board_alone(
    name: str, data: Path | None, *, move: bool, clicked: bool | None, as_json: bool
) -> int:
    from doorward.cli import selftest

    test = selftest.ask(data, name, move=move, clicked=clicked, quiet=as_json)
    show(test, selftest.told(test), as_json=as_json)
    return 1 if test["findings"] else 0


def _ask(data: Path | None, *, alone: bool) -> Iterator["Check"]:
    """What the running gateway says about itself and its boards; one check when none answers.

    A broker that runs `alone` says the same of itself, and has no boards.
    """
    from doorward.cli.checks import Check
    from doorward.cli.client import Api

    name = "broker run" if alone else "gateway"
    try:
        with Api(data) as api:
            health, boards = api.get("health"), [] if alone else api.get("devices")
    except Failure as failure:
        problem, _, remedy = failure.message.partition("; ")
        # Not running is a state; running and not answering is a fault.
        state: State = "note" if failure.code == "not_running" else "FAIL"
        if alone and state == "note":
            problem, remedy = "it does not run", "`doorward broker run` starts it"
        yield Check(name, state, problem, remedy or None)
        return
    yield Check(name, "ok", f"{health['version']}, up since {local_time(health['started_at'])}")
    for found in health["checks"]:
        yield Check(
            found["name"], "ok" if found["ok"] else "FAIL", found["detail"], found["remedy"]
        )
    for board in boards:
        if board["state"] == "approved":
            yield _board(board)


def _board(board: dict[str, Any]) -> "Check":
    from doorward.cli.checks import Check

    heard = local_time(board["heard_at"])
    name = f"board {board['id']}"
    if board["online"]:
        return Check(name, "ok", f"online, last seen {heard}")
    if heard is None:
        return Check(
            name,
            "FAIL",
            "never seen",
            "check its power, its Wi-Fi and the address in its config.json",
        )
    return Check(name, "FAIL", f"offline, last seen {heard}", "check its power and its Wi-Fi")


def _tell(checks: list["Check"]) -> str:
    rows = [(c.state, c.name, c.detail + (f"; {c.remedy}" if c.remedy else "")) for c in checks]
    bad = sum(check.state == "FAIL" for check in checks)
    notes = sum(check.state == "note" for check in checks)
    if bad:
        verdict = f"{bad} of {len(checks)} checks failed"
    else:
        verdict = f"all {len(checks)} checks passed" + (f", {notes} with a note" if notes else "")
    return table(("", "check", "finding"), rows) + "\n\n" + clean(verdict)
