"""`up` and `demo` from the command line's side: start, say where it is, wait for a signal, end."""

import asyncio
import logging
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from doorward import config
from doorward.runtime import logs
from doorward.runtime.demo import DemoGateway
from doorward.runtime.gateway import Gateway

Say = Callable[[str], None]
G = TypeVar("G", bound=Gateway)


def up(directory: Path, say: Say, *, port_base: int | None = None) -> int:
    """Run the gateway of `directory` until SIGINT or SIGTERM. Returns the exit code; raises DoorwardError."""
    logs.configure()
    settings = config.load(directory, port_base=port_base)

    def greet(gateway: Gateway) -> None:
        web, mqtt = settings.web, settings.mqtt
        say(f"doorward is up: http://{web.host}:{gateway.web_port}")
        say(
            f"MQTT listens on {mqtt.host}:{gateway.mqtt_port}, on this machine only until TLS is set up."
        )
        if gateway.needs_setup:
            say(f"First run: make the first operator with the setup token {gateway.tokens.setup}")

    asyncio.run(_serve(Gateway(settings), greet))
    return 0


def demo(directory: Path, say: Say, *, port_base: int | None = None) -> int:
    """Run a virtual site in `directory` until SIGINT or SIGTERM. Returns the exit code; raises DoorwardError."""
    logs.configure(logging.WARNING)
    defaults = {"mqtt": {"port": 8081}}
    settings = config.load(directory, port_base=port_base, defaults=defaults)

    def greet(gateway: DemoGateway) -> None:
        say(f"Your virtual site is ready: {gateway.url}")
        say("The link works once. Ctrl-C ends everything.")

    asyncio.run(_serve(DemoGateway(settings), greet))
    return 0


async def _serve(gateway: G, greet: Callable[[G], None]) -> None:
    """Run one gateway. A signal ends it also while it starts."""
    loop = asyncio.get_running_loop()
    signalled = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, signalled.set)
    life = asyncio.create_task(_live(gateway, greet))
    stop = asyncio.create_task(signalled.wait())
    await asyncio.wait((life, stop), return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    await gateway.stop()
    if signalled.is_set():
        # Whatever starting came to, it was told to end.
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
    else:
        await life


async def _live(gateway: G, greet: Callable[[G], None]) -> None:
    await gateway.start()
    greet(gateway)
    await gateway.wait()
