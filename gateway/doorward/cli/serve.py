"""`doorward up` and `doorward demo`: the two commands that start something."""

from pathlib import Path

import click

from doorward.cli.options import Command, common


def serving(command: Command) -> Command:
    """Give a command --port-base."""
    return click.option(
        "--port-base",
        type=click.IntRange(1, 65534),
        metavar="N",
        help="Take port N for the page and N+1 for MQTT, so that several can run side by side.",
    )(command)


@click.command()
@serving
@common
def up(port_base: int | None, *, as_json: bool, data: Path | None) -> int:
    """Run the gateway. The first run makes its keys and databases."""
    return 0


@click.command()
@serving
@common
def demo(port_base: int | None, *, as_json: bool, data: Path | None) -> int:
    """Run a whole virtual site: gateway, broker, page, and a door's real firmware."""
    return 0
