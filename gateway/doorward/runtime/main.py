"""`up` and `demo` from the command line's side."""

import asyncio
import logging
from pathlib import Path

from doorward import config, logs
from doorward.errors import StartupError
from doorward.runtime.demo.gateway import SITE_FILE, DemoGateway
from doorward.runtime.gateway import Gateway
from doorward.runtime.process.serving import Say, serve


def up(directory: Path, say: Say, *, port_base: int | None = None) -> int:
    """Run the gateway of `directory` until SIGINT or SIGTERM. Returns the exit code; raises DoorwardError."""
    logs.configure()
    _refuse_the_other_kind(directory, virtual=False)
    settings = config.load(directory, port_base=port_base)

    def on_ready(gateway: Gateway) -> None:
        say(f"doorward is up: {gateway.url}")
        if settings.web.https:
            say(f"Browsers trust it once they know its CA: {gateway.url}/ca")
        say(f"Boards come to {gateway.boards_host}:{gateway.mqtt_port}, over mutual TLS.")
        if gateway.needs_setup:
            say(f"First run: make the first operator at {gateway.url}/setup with this setup token:")
            say(str(gateway.tokens.setup))

    asyncio.run(serve(Gateway(settings), on_ready))
    return 0


def demo(directory: Path, say: Say, *, port_base: int | None = None) -> int:
    """Run a virtual site in `directory` until SIGINT or SIGTERM. Returns the exit code; raises DoorwardError."""
    logs.configure(logging.WARNING)
    _refuse_the_other_kind(directory, virtual=True)
    ports = {"port": 8081, "plain_port": 8082, "websocket_port": 8083}
    defaults = {"mqtt": {"host": "127.0.0.1", **ports}}
    settings = config.load(directory, port_base=port_base, defaults=defaults)

    def on_ready(gateway: DemoGateway) -> None:
        say(f"Your virtual site is ready: {gateway.url}")
        say("The link works once. Ctrl-C ends everything.")

    asyncio.run(serve(DemoGateway(settings), on_ready))
    return 0


def _refuse_the_other_kind(directory: Path, *, virtual: bool) -> None:
    """Keep people who exist and people of the demo apart. Raises StartupError."""
    if not (directory / "gateway.db").exists() or (directory / SITE_FILE).exists() == virtual:
        return
    if virtual:
        raise StartupError(
            f"{directory} is a real installation; the demo would add its people to it",
            "choose another --data",
        )
    raise StartupError(
        f"{directory} was made by the demo, whose cards anybody can tap", "choose another --data"
    )
