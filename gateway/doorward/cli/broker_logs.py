"""`doorward broker logs`: what happens at the broker."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from doorward.cli.failure import UNREACHABLE, Failure
from doorward.cli.options import common, say, show
from doorward.cli.text import local_time, table

_HEADS = ("time", "action", "who", "client", "topic", "qos", "size", "detail")
_ACTIONS = (
    "CONNECT",
    "DISCONNECT",
    "PUBLISH",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "DENIED",
    "REFUSED",
    "CHANGED",
)
_AGAIN_S = 1.0


@click.command()
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@click.option("--action", type=click.Choice(_ACTIONS, case_sensitive=False))
@click.option("--principal", help="Of this user or board alone.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens from now on.")
@common
def logs(
    *,
    limit: int,
    action: str | None,
    principal: str | None,
    follow: bool,
    as_json: bool,
    data: Path | None,
) -> None:
    """Who came and went, published, asked and was refused. Never what was in a message."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.get("broker/log", limit=limit, action=action, principal=principal)
    if not follow:
        rows = [_row(entry) for entry in reversed(answer)]
        show(answer, table(_HEADS, rows) if rows else "nothing has happened yet", as_json=as_json)
        return
    for entry in reversed(answer):
        _tell(entry, as_json=as_json)
    _follow(data, action, principal, answer[0]["number"] if answer else 0, as_json=as_json)


def _follow(
    data: Path | None, action: str | None, principal: str | None, last: int, *, as_json: bool
) -> None:
    """Print lines as they are written. A gateway that restarts is waited for; what it wrote meanwhile comes first."""
    from doorward.cli.client import Api

    while True:
        try:
            with Api(data) as api:
                for line in api.lines(
                    "broker/log/stream", action=action, principal=principal, after=last
                ):
                    if line.startswith("data: "):
                        entry = json.loads(line.removeprefix("data: "))
                        last = entry["number"]
                        _tell(entry, as_json=as_json)
        except Failure as failure:
            if failure.exit_code != UNREACHABLE:
                raise
        time.sleep(_AGAIN_S)


def _tell(entry: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(entry, ensure_ascii=True))
        return
    say("  ".join(str(part) for part in _row(entry) if part is not None))


def _row(entry: Mapping[str, Any]) -> tuple[object, ...]:
    more = f"and {entry['more']} more" if entry["more"] else ""
    client = entry["client"] if entry["client"] != entry["principal"] else ""
    return (
        local_time(entry["at"]),
        entry["action"],
        entry["principal"] or None,
        client or None,
        entry["topic"] or None,
        entry["qos"],
        entry["size"],
        " ".join(part for part in (entry["detail"], more) if part) or None,
    )
