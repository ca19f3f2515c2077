"""A virtual site in a test's own process: real use cases and stores, a real broker, boards that a lab may run.

Which broker serves it is decided here alone: `BROKERS` are those that a site can have. What both can be asked of their
own is asked here too, so that a test is the same for each.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
from mosquittos import require_mosquitto
from ports import free_port_base

from doorward import config
from doorward.adapters.mosquitto.grants import Grant
from doorward.broker import Role
from doorward.config import EMBEDDED, MOSQUITTO, Settings
from doorward.runtime.demo.gateway import SITE_FILE, VirtualSite
from doorward.runtime.gateway import Gateway
from doorward.runtime.mosquitto import setup as mosquitto
from doorward.runtime.mosquitto.side import MosquittoSide

BROKERS = (EMBEDDED, MOSQUITTO)
ANY_PORT = {"web": {"port": 0}, "mqtt": {"port": 0}}

AnyGateway = TypeVar("AnyGateway", bound=Gateway)


def settings_for(
    directory: Path,
    broker: str = EMBEDDED,
    *,
    defaults: Mapping[str, Any] = ANY_PORT,
    port_base: int | None = None,
) -> Settings:
    """The settings of a site in `directory`, which is made: on free ports if nothing else is said."""
    directory.mkdir(exist_ok=True)
    if broker == MOSQUITTO and port_base is None:
        # It cannot be asked for any free port, and has to find its own again.
        base = free_port_base()
        ports = {"port": base + 1, "plain_port": base + 2, "websocket_port": base + 3}
        defaults = {**defaults, "mqtt": {"host": "127.0.0.1", **ports}}
    chosen = {"broker": broker, **({} if port_base is not None else defaults)}
    return config.load(directory, defaults=chosen, port_base=port_base, environ={})


@asynccontextmanager
async def broker_of(settings: Settings) -> AsyncIterator[None]:
    """The broker beside a gateway, if there is one, and if it does not run already."""
    if settings.broker == EMBEDDED:
        yield
        return
    require_mosquitto()
    places = mosquitto.places_of(settings)
    if places.configuration.exists() and mosquitto.status(settings).pid is not None:
        yield
        return
    await mosquitto.set_up(settings)
    await asyncio.to_thread(mosquitto.start, settings)
    try:
        yield
    finally:
        await asyncio.to_thread(mosquitto.stop, settings)


async def open_account(site: Gateway, name: str, secret: str) -> None:
    """Let somebody in on the plain listener who may do everything under the base."""
    side = site.side
    if isinstance(side, MosquittoSide):
        everything = Grant(name, ("doorward/#",), ("doorward/#",), password=secret)
        await asyncio.to_thread(side._keeper.admit, everything)
    else:
        site.principals.add(name, secret, Role.GATEWAY, keep=False)


def broker_log(site: Gateway) -> str:
    """What Mosquitto has said so far."""
    return mosquitto.places_of(site.settings).log.read_text()


@asynccontextmanager
async def running(gateway: AnyGateway) -> AsyncIterator[AnyGateway]:
    """From its start to its end, with its broker; it may be stopped before."""
    async with broker_of(gateway.settings):
        await gateway.start()
        try:
            yield gateway
        finally:
            await gateway.stop()
            await gateway.wait()


def api_of(site: Gateway) -> httpx.AsyncClient:
    """Ask it as its command line does."""
    transport = httpx.AsyncHTTPTransport(uds=str(site.settings.socket))
    # A busy machine takes its time.
    return httpx.AsyncClient(transport=transport, base_url="http://doorward/api/v1", timeout=60)


def profiles(site: VirtualSite) -> list[dict[str, Any]]:
    """What its boards are started with."""
    content = json.loads((site.settings.directory / SITE_FILE).read_text())
    boards: list[dict[str, Any]] = content["boards"]
    return boards


def is_current(site: Gateway, door: str = "front") -> bool:
    """Whether the door's board is there and holds its rules."""
    view = site.cases.states.get(door)
    return view.online and view.policy_version == view.policy_wanted
