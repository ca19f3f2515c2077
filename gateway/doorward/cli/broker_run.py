"""`doorward broker run`: the broker without a gateway."""

from pathlib import Path

import click

from doorward.cli.options import common, home_directory
from doorward.cli.serve import run_until_signalled, serving, speaker


@click.command("run")
@serving
@common
def run(port_base: int | None, *, as_json: bool, data: Path | None) -> int:
    """Run the MQTT broker alone until Ctrl-C. The first run makes its keys, its CA and its database.

    Ports: 8883 with TLS, 9001 for WebSockets with TLS, 1883 without TLS for this machine alone.
    """
    from doorward.runtime import broker

    directory = data or home_directory(demo=False)
    return run_until_signalled(
        lambda: broker.run(directory, speaker(as_json=as_json), port_base=port_base)
    )
