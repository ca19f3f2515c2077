"""`doorward up` and `doorward demo`: the two commands that start something."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from doorward.cli.failure import Failure
from doorward.cli.options import Command, common, home_directory, say
from doorward.errors import DoorwardError

_LAST_BASE = 65532


class PortBase(click.IntRange):
    """The number of a port that has one after it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """A number in range, or one message for all that is not."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"give a number from {self.min} to {self.max}", param, ctx)


def serving(command: Command) -> Command:
    """Give a command --port-base."""
    return click.option(
        "--port-base",
        type=PortBase(1, _LAST_BASE),
        metavar="N",
        help="Put the page on port N and MQTT on N+1 to N+3, so that several can run side by side.",
    )(command)


@click.command()
@serving
@common
def up(port_base: int | None, *, as_json: bool, data: Path | None) -> int:
    """Run the gateway until Ctrl-C. The first run makes its keys and databases."""
    from doorward.runtime import main

    directory = data or home_directory(demo=False)
    return run_until_signalled(
        lambda: main.up(directory, speaker(as_json=as_json), port_base=port_base)
    )


@click.command()
@serving
@common
def demo(port_base: int | None, *, as_json: bool, data: Path | None) -> int:
    """Run a virtual site until Ctrl-C, no hardware needed."""
    from doorward.runtime import main

    directory = data or home_directory(demo=True)
    return run_until_signalled(
        lambda: main.demo(directory, speaker(as_json=as_json), port_base=port_base)
    )


def run_until_signalled(serve: Callable[[], int]) -> int:
    """Run something until it ends; returns its exit code. Raises Failure."""
    try:
        return serve()
    except DoorwardError as error:
        raise Failure(error.message, code=error.code, field=error.field) from error


def speaker(*, as_json: bool) -> Callable[[str], None]:
    """What is said while it runs, a line each; as JSON every line is {"message": …}."""
    if as_json:
        return lambda line: click.echo(json.dumps({"message": line}))
    return say
