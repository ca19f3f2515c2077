"""`doorward why`: the rule that decides, before anybody stands at the door."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from doorward.cli.kinds import CARD, INSTANT
from doorward.cli.options import common, show
from doorward.cli.secret import code_file_option, known_code
from doorward.cli.text import clean, local_time, table

_MARKS = {True: "passed", False: "decides", None: "not reached"}


@click.command()
@click.option("--card", type=CARD, help="A card by its UID, or by its name in `lab list`.")
@click.option("--person", help="Whose card; with several, --card says which by its last digits.")
@click.option("--code", is_flag=True, help="A code: it is asked for, and not shown.")
@code_file_option
@click.option("--door", required=True, help="The door, by name or id.")
@click.option("--at", type=INSTANT, help="Then instead of now, like 2026-11-21T18:30.")
@common
def why(
    card: str | None,
    person: str | None,
    code: bool,
    code_file: Path | None,
    door: str,
    at: str | None,
    *,
    as_json: bool,
    data: Path | None,
) -> None:
    """Say whether a card or a code opens a door, and which rule decides."""
    from doorward.cli.client import Api

    code = code or code_file is not None
    if not code and card is None and person is None:
        raise click.UsageError("Say which card: give --card, --person or --code")
    if code and (card is not None or person is not None):
        raise click.UsageError("--code is asked for: leave out --card and --person")
    with Api(data) as api:
        if code:
            answer = api.post("why", {"code": known_code(code_file), "door": door, "at": at})
        else:
            answer = api.get("why", card=card, person=person, door=door, at=at)
    show(answer, _tell(answer), as_json=as_json)


def _tell(answer: Mapping[str, Any]) -> str:
    who = answer["person"] or "nobody we know"
    tail = answer["card_tail"]
    what = "that code" if tail == "code" else f"card …{tail}"
    verdict = "opens" if answer["verdict"] == "grant" else "stays shut"
    lines = [
        clean(f"{answer['door_name']} {verdict} for {what} ({who})"),
        clean(
            f"at {local_time(answer['at'])}: {answer['sentence']} (rule {answer['rule']}, {answer['rule_name']})"
        ),
        "",
        table(
            ("rule", "name", "result", "says"),
            [
                (step["rule"], step["name"], _MARKS[step["passed"]], step["sentence"])
                for step in answer["steps"]
            ],
        ),
    ]
    return "\n".join(lines)
