"""`doorward broker mosquitto`: Debian's Mosquitto in place of the embedded broker."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from doorward.cli.backup import create_archive
from doorward.cli.failure import refusals
from doorward.cli.options import chosen_directory, common, say, show
from doorward.cli.text import clean, table

if TYPE_CHECKING:
    from doorward.config import Settings
    from doorward.runtime.mosquitto.setup import Status


@click.group()
def mosquitto() -> None:
    """Mosquitto in place of the embedded broker: a process of our own, with the same rules.

    Set it up, start it, set broker = "mosquitto" in doorward.toml, and start the gateway.
    """


@mosquitto.command()
@click.option("--again", is_flag=True, help="Forget the accounts that it has, and make ours anew.")
@click.option("--port-base", type=click.IntRange(1, 65532), help="As for `doorward up`.")
@common
def setup(*, again: bool, port_base: int | None, as_json: bool, data: Path | None) -> None:
    """Write its configuration, from doorward.toml and the site's certificates. It must not run meanwhile."""
    import asyncio

    from doorward.runtime.mosquitto import setup as runtime

    with refusals():
        settings = _settings(data, port_base)
        made = asyncio.run(runtime.set_up(settings, again=again))
        places = runtime.places_of(settings)
    rows = [(name, f"{host}:{port}") for name, (host, port) in made.named.items()]
    text = f"Mosquitto is set up: {places.configuration}"
    answer = {
        "configuration": str(places.configuration),
        "listeners": {name: port for name, (_, port) in made.named.items()},
    }
    lines = [clean(text), "", table(("listener", "address"), rows)]
    if made.websocket is None:
        lines.append("this machine's mosquitto was built without WebSocket")
    lines += ["", "start it with `doorward broker mosquitto start`"]
    if settings.broker != "mosquitto":
        lines.append('then set broker = "mosquitto" in doorward.toml, and start the gateway anew')
    show(answer, "\n".join(lines), as_json=as_json)


@mosquitto.command()
@common
def start(*, as_json: bool, data: Path | None) -> None:
    """Run it in the background. A Mosquitto that is not ours is never touched."""
    from doorward.runtime.mosquitto import setup as runtime

    with refusals():
        pid = runtime.start(_settings(data))
    show({"pid": pid}, f"Mosquitto runs (process {pid})", as_json=as_json)


@mosquitto.command()
@common
def stop(*, as_json: bool, data: Path | None) -> None:
    """End it. Boards decide by themselves until it is back."""
    from doorward.runtime.mosquitto import setup as runtime

    with refusals():
        ended = runtime.stop(_settings(data))
    show({"stopped": ended}, "Mosquitto has ended" if ended else "it did not run", as_json=as_json)


@mosquitto.command()
@common
def restart(*, as_json: bool, data: Path | None) -> None:
    """End it if it runs, and start it."""
    from doorward.runtime.mosquitto import setup as runtime

    with refusals():
        settings = _settings(data)
        runtime.stop(settings)
        pid = runtime.start(settings)
    show({"pid": pid}, f"Mosquitto runs (process {pid})", as_json=as_json)


@mosquitto.command()
@common
def status(*, as_json: bool, data: Path | None) -> int:
    """Say whether it runs, listens and obeys. Ends with 0 when all of that is so, with 1 otherwise."""
    from doorward.runtime.mosquitto import setup as runtime

    with refusals():
        seen = runtime.status(_settings(data))
    answer = {
        "ok": seen.ok,
        "running": seen.pid is not None,
        "pid": seen.pid,
        "listeners": {
            name: {"port": port, "answers": ok} for name, (port, ok) in seen.listeners.items()
        },
        "obeys": seen.obeys,
        "problem": seen.problem,
    }
    show(answer, _tell(seen), as_json=as_json)
    return 0 if seen.ok else 1


@mosquitto.command()
@common
def sync(*, as_json: bool, data: Path | None) -> None:
    """Let the gateway look at all accounts now, and correct those that are not as they should be."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.post("broker/mosquitto/sync")
    changed = answer["changed"]
    text = f"{answer['wanted']} accounts, {len(changed)} changes"
    locked_out = [
        f"{clean(name)} cannot come in: run `doorward broker users passwd {clean(name)}`"
        for name in answer["need_password"]
    ]
    show(answer, "\n".join([text, *map(clean, changed), *locked_out]), as_json=as_json)


mosquitto.add_command(create_archive, "backup")


@mosquitto.command()
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True)
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@common
def logs(*, limit: int, follow: bool, as_json: bool, data: Path | None) -> None:
    """Show the last lines of its log."""
    from doorward.runtime.mosquitto import setup as runtime

    with refusals():
        settings = _settings(data)
        lines = runtime.log_lines(settings, limit)
        if as_json and not follow:
            show({"lines": lines}, "", as_json=True)
            return
        for line in lines:
            say(line)
        if follow:
            for line in runtime.follow(settings):
                say(line)


def _tell(seen: "Status") -> str:
    rows = [
        (name, str(port), "answers" if ok else "is silent")
        for name, (port, ok) in seen.listeners.items()
    ]
    head = f"Mosquitto runs (process {seen.pid})" if seen.pid else "Mosquitto does not run"
    end = [clean(seen.problem)] if seen.problem else []
    return "\n".join([head, "", table(("listener", "port", ""), rows), "", *end]).rstrip()


def _settings(data: Path | None, port_base: int | None = None) -> "Settings":
    from doorward import config

    return config.load(chosen_directory(data), port_base=port_base)
