"""`doorward broker run`: the broker without a gateway."""

from pathlib import Path

import click

from doorward.cli.options import common, home_directory
from doorward.cli.serve import run_until_signalled, serving, speaker


@click.command("run")
@serving
@click.option("--prepared", type=int, hidden=True)
@common
def run(port_base: int | None, prepared: int | None, *, as_json: bool, data: Path | None) -> int:
    """Run the MQTT broker alone until Ctrl-C. The first run makes its keys, its CA and its database.

    Ports: 8883 with TLS, 9001 for WebSockets with TLS, 1883 without TLS for this machine alone.
    """
    if prepared is not None:
        from doorward.runtime.alone import serving

        return run_until_signalled(lambda: serving.run(prepared, speaker(as_json=as_json)))
    from doorward.runtime.alone import command as broker

    directory = data or home_directory(demo=False)
    words = ["broker", "run", "--data", str(directory), *(["--json"] if as_json else ())]
    return run_until_signalled(
        lambda: broker.prepare(directory, [*words, "--prepared"], port_base=port_base)
    )
