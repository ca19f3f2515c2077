"""Where a command gets a password from: never from its arguments, which every user of the machine can read."""

import os
from pathlib import Path

import click

from doorward.cli.failure import Failure
from doorward.cli.options import Command

_CODE_WAYS = "--code-file FILE, or - for stdin"
VARIABLE = "DOORWARD_PASSWORD"


def password_option(command: Command) -> Command:
    """Give a command --password-file (as `password_file`)."""
    return click.option(
        "--password-file",
        type=click.Path(path_type=Path, allow_dash=True),
        help=f"Read the password from a file's first line, or - for stdin; else {VARIABLE}, else ask.",
    )(command)


def new_password(password_file: Path | None) -> str:
    """The password from the file, the environment, or the terminal (twice)."""
    if password_file is not None:
        return first_line(password_file)
    if VARIABLE in os.environ:
        return os.environ[VARIABLE]
    return ask("Password", f"--password-file FILE, - for stdin, or {VARIABLE}", new=True)


def code_file_option(command: Command) -> Command:
    """Give a command --code-file (as `code_file`)."""
    return click.option(
        "--code-file",
        type=click.Path(path_type=Path, allow_dash=True),
        help="Read the code from a file's first line, or - for stdin; else ask.",
    )(command)


def new_code(code_file: Path | None) -> str:
    """A new code from the file, or the terminal (twice)."""
    return first_line(code_file) if code_file else ask("Code", _CODE_WAYS, new=True)


def known_code(code_file: Path | None) -> str:
    """A code from the file, or the terminal."""
    return first_line(code_file) if code_file else ask("Code", _CODE_WAYS)


def ask(what: str, otherwise: str, *, new: bool = False) -> str:
    """What is typed at the terminal, and not shown there; twice when it is `new`.

    Raises Failure where there is no terminal: `otherwise` is what to use there.
    """
    if not _has_terminal():
        raise Failure(
            f"no {what[0].lower()}{what[1:]}, and no terminal to ask for it; use {otherwise}",
            code="invalid",
            field=what.partition(" ")[0].lower(),
        )
    return str(click.prompt(what, hide_input=True, confirmation_prompt=new, err=True))


def _has_terminal() -> bool:
    """Whether getpass can turn off the echo: at the terminal of the session, or at stdin."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return os.isatty(0)
    return True


def first_line(path: Path) -> str:
    """The first line of a file, or of stdin for -. Raises Failure."""
    try:
        with click.open_file(str(path), encoding="utf-8") as file:
            line: str = file.readline()
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(
            f"the file {path} cannot be read; check its name and mode",
            code="invalid",
            field="file",
        ) from error
    return line.rstrip("\r\n")
