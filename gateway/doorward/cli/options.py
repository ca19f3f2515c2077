"""The options that every command has, and where they lead."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from doorward.cli.text import clean

Command = Callable[..., Any]

_LIVE = "doorward"
_DEMO = "doorward-demo"


class DataOption(click.Option):
    """--data. Its errors name the environment variable only when the value came from there."""

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """The option, or the variable: whichever was used."""
        source = ctx.get_parameter_source(self.name or "") if ctx else None
        return "DOORWARD_DATA" if source is ParameterSource.ENVIRONMENT else "'--data'"


def common(command: Command) -> Command:
    """Give a command --json (as `as_json`) and --data (as `data`)."""
    command = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(
        command
    )
    return click.option(
        "--data",
        cls=DataOption,
        type=click.Path(file_okay=False, path_type=Path),
        envvar="DOORWARD_DATA",
        help="The installation's directory.",
        show_envvar=True,
    )(command)


def show(answer: object, text: str, *, as_json: bool) -> None:
    """Print an answer: the JSON of it for programs, or `text` for people."""
    click.echo(json.dumps(answer, indent=2, ensure_ascii=True) if as_json else text)


def say(text: str) -> None:
    """Print one line that may hold other people's text."""
    click.echo(clean(text))


def home_directory(*, demo: bool) -> Path:
    """Where an installation lives when nobody says otherwise."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / (_DEMO if demo else _LIVE)


def chosen_directory(data: Path | None, *, demo: bool = False) -> Path:
    """The directory that a client command means.

    Without --data that is the gateway's own. Only on a machine where none was ever set up it is a running demo's: a
    first look needs no option, and a change meant for a real site never lands in a demo.
    """
    if data is not None:
        return data
    live = home_directory(demo=False)
    if demo:
        return home_directory(demo=True)
    trial = None if live.exists() else running_demo()
    return trial or live


def running_demo() -> Path | None:
    """The directory of a demo that runs where demos live when nobody says otherwise."""
    trial = home_directory(demo=True)
    return trial if _is_socket(socket_of(trial)) else None


def socket_of(directory: Path) -> Path:
    """The local API's socket in an installation."""
    return directory / "run" / "api.sock"


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False
