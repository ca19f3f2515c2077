"""`doorward audit`: what happened, and why."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import click

from doorward.cli.failure import Failure
from doorward.cli.kinds import INSTANT
from doorward.cli.options import chosen_directory, common, show
from doorward.cli.text import card_text, clean, local_time, table
from doorward.errors import DoorwardError

_HEADS = ("time", "door", "what", "who", "card", "why", "source")
_LONG_S = 3600.0  # a million rows take a while
_FILE = click.Path(dir_okay=False, exists=True, path_type=Path)
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


@audit.command()
@click.argument("file", type=_FILE, required=False)
@click.option(
    "--ca", type=_FILE, help="The site's CA certificate (signer/ca.crt), to check a FILE with."
)
@click.option("--offline", is_flag=True, help="Of an installation whose gateway is stopped.")
@common
def verify(
    file: Path | None, ca: Path | None, *, offline: bool, as_json: bool, data: Path | None
) -> int:
    """Is every row as it was written? Names the first that is not, and ends with 1.

    Of the running gateway, of one that is stopped (--offline), or of a FILE that `audit export` made: that one needs
    the site's CA certificate alone, on any machine.
    """
    if (file is None) != (ca is None):
        raise click.UsageError("FILE and --ca belong together")
    answer = _verified(file, ca, data, offline=offline)
    show(answer, "\n".join(clean(line) for line in _told(answer)), as_json=as_json)
    return 0 if answer["ok"] else 1


def _verified(
    file: Path | None, ca: Path | None, data: Path | None, *, offline: bool
) -> Mapping[str, Any]:
    from doorward.cli.client import Api

    if file is None and not offline:
        with Api(data, timeout_s=_LONG_S) as api:
            answer: Mapping[str, Any] = api.get("audit/verify")
            return answer
    from doorward.runtime.audit import verify_directory, verify_file

    try:
        if file is not None and ca is not None:
            return verify_file(file, ca)
        return verify_directory(chosen_directory(data))
    except DoorwardError as error:
        raise Failure(error.message, code=error.code, field=error.field) from error


def _told(answer: Mapping[str, Any]) -> Iterator[str]:
    rows = answer["last"] - answer["first"] + 1
    yield (
        f"{rows} rows are whole, {answer['first']} to {answer['last']}"
        if rows
        else "no row is whole"
    )
    if answer["anchors"]:
        since = local_time(answer["since"])
        yield f"proven up to row {answer['proven']} by signed anchors: {answer['anchors']} since {since}"
    if answer["entries"]:
        yield f"{answer['entries']} entries in the boards' logs"
    if answer["erased"]:
        yield f"in {answer['erased']} rows the names were erased, as other rows say"
    for row in answer["remarks"]:
        yield f"row {row['id']}, {local_time(row['at'])}: {row['kind']}: {row['why']}"
    for finding in answer["findings"]:
        place = f"row {finding['row']}" + (f" to {finding['until']}" if finding["until"] else "")
        if finding["device"]:
            place = f"entry {finding['row']} of {finding['device']}'s log"
        yield f"FAIL {place}, {finding['kind']}: {finding['detail']}"
    yield "the audit is as it was written" if answer["ok"] else "the audit is NOT as it was written"


@audit.command()
@click.option(
    "--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True
)
@click.option(
    "--since", type=INSTANT, help="From this time on; without a zone it is this machine's."
)
@click.option("--until", type=INSTANT, help="Before this time.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@common
def export(
    form: str, since: str | None, until: str | None, out: Path, *, as_json: bool, data: Path | None
) -> None:
    """Take the audit along, signed: `doorward audit verify FILE --ca ca.crt` checks it on any machine."""
    from doorward.cli.client import Api

    with Api(data, timeout_s=_LONG_S) as api:
        size = api.save("audit/export", out, format=form, since=_zoned(since), until=_zoned(until))
    answer = {"file": str(out), "bytes": size}
    show(answer, clean(f"{out}: {size} bytes"), as_json=as_json)


def _zoned(at: str | None) -> str | None:
    return None if at is None else datetime.fromisoformat(at).astimezone().isoformat()


def _place(entry: Mapping[str, Any]) -> str | None:
    """The door, or the board where there is none, or one that keeps no door."""
    if entry["door_name"] or not entry["device"]:
        return cast("str | None", entry["door_name"])
    return f"board {entry['device']}"


def _row(entry: Mapping[str, Any]) -> tuple[object, ...]:
    return (
        local_time(entry["at"]),
        _place(entry),
        _VERDICTS.get(entry["granted"], entry["kind"]),
        entry["person"] or entry["actor"],
        card_text(entry["card_tail"]) if entry["card_tail"] else None,
        entry["why"] or entry["note"],
        entry["source"],
    )
