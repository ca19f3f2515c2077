"""`doorward board`: how boards are wired, and `flash` that puts them to work. Only that needs a gateway."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from doorward.cli.board_flash import flash
from doorward.cli.failure import Failure, refusals
from doorward.cli.options import common, show
from doorward.cli.text import clean, table

if TYPE_CHECKING:
    from doorward.boards import Profile

_SUFFIX = ".toml"


@click.group()
def board() -> None:
    """How boards are wired: the profiles that ship, and your own; and how one is put to work.

    WHICH is a profile's name, as in the list, or a file of your own (FILE.toml).
    """


board.add_command(flash)


@board.command("list")
@common
def list_boards(*, as_json: bool, data: Path | None) -> None:
    """Every profile that ships with doorward."""
    from doorward import boards

    answer = []
    for name in boards.names(_folder()):
        profile = _open(name)
        parts = list(profile.parts())
        told = {"title": profile.title, "chip": profile.chip, "role": profile.role}
        answer.append({"name": name, **told, "parts": parts})
    rows = [(one["name"], one["chip"], one["role"], ", ".join(one["parts"])) for one in answer]
    show(answer, table(("name", "chip", "role", "parts"), rows), as_json=as_json)


@board.command("lint")
@click.argument("which", nargs=-1)
@common
def lint_boards(which: tuple[str, ...], *, as_json: bool, data: Path | None) -> int:
    """Say what would not work, before anybody solders it. Without WHICH: all that ship.

    Ends with 1 when something is wrong.
    """
    from doorward import boards

    answer = []
    lines = []
    for name in which or boards.names(_folder()):
        try:
            with refusals():
                found = [asdict(finding) for finding in boards.lint(_read(name))]
        except Failure as failure:
            if failure.code != "invalid":
                raise
            found = [_unreadable(failure)]
        answer.append({"profile": name, "ok": not found, "findings": found})
        said = [f"{one['field']}: {one['why']}; {one['remedy']}" for one in found]
        lines += [f"{name}: {line}" for line in said or ["fine"]]
    show(answer, "\n".join(clean(line) for line in lines), as_json=as_json)
    return 0 if all(one["ok"] for one in answer) else 1


@board.command("show")
@click.argument("which")
@click.option(
    "--svg",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the diagram goes; NAME.svg here if not said.",
)
@common
def show_board(which: str, svg: Path | None, *, as_json: bool, data: Path | None) -> None:
    """Print the wiring of WHICH as a table, and draw it: every wire, its colour, and what stands in it."""
    from doorward.boards import drawing, lint
    from doorward.boards import table as wiring
    from doorward.boards.devkits import KITS

    profile = _open(which)
    findings = [str(finding) for finding in lint(profile)]
    if findings:
        problem = f"{which}: {findings[0]}"
        raise Failure(f"{problem} (`doorward board lint {which}` tells all)", code="invalid")
    path = svg or Path(f"{Path(which).stem}.svg")
    try:
        path.write_text(drawing.svg(profile), encoding="utf-8")
    except OSError as error:
        why = f"{path} cannot be written ({error.strerror}); choose another place with --svg"
        raise Failure(why, field="svg") from error
    answer = {
        "profile": which,
        "title": profile.title,
        "board": KITS[profile.chip].title,
        "parts": wiring.as_json(profile),
        "svg": str(path),
    }
    lines = [f"{profile.title}, on an {KITS[profile.chip].title}", ""]
    lines += [table(wiring.HEADS, wiring.rows(profile)), "", *wiring.notes(profile)]
    text = "\n".join(clean(line) for line in "\n".join(lines).split("\n"))
    show(answer, f"{text}\n\nthe diagram is in {clean(str(path))}", as_json=as_json)


def _folder() -> Path:
    from doorward.data import data_root

    return data_root() / "boards"


def _open(which: str) -> "Profile":
    with refusals():
        return _read(which)


def _read(which: str) -> "Profile":
    """A profile by its name or its file. Raises NotFound, and InvalidInput for one that says what cannot be."""
    from doorward import boards

    if which.endswith(_SUFFIX):
        return boards.read(Path(which))
    return boards.load(_folder(), which)


def _unreadable(failure: Failure) -> dict[str, object]:
    """What is wrong with words and numbers, in the words of a finding."""
    problem, _, remedy = failure.message.rpartition("; ")
    field = failure.field or "file"
    return {
        "field": field,
        "why": problem.partition(f"{field}: ")[2] or problem,
        "remedy": remedy,
        "would_do": None,
    }
