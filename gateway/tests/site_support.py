"""A virtual site in a test's own process: real use cases and stores, a real broker, boards that a lab may run.

Which broker serves it is decided here alone: `BROKERS` are those that a site can have.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from doorward import config
from doorward.config import Settings
from doorward.runtime import Gateway
from doorward.runtime.demo import SITE_FILE, VirtualSite

EMBEDDED = "embedded"
BROKERS = (EMBEDDED,)
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
    chosen = {} if broker == EMBEDDED else {"broker": broker}
    defaults = {} if port_base is not None else {**defaults, **chosen}
    return config.load(directory, defaults=defaults, port_base=port_base, environ={})


@asynccontextmanager
async def running(gateway: AnyGateway) -> AsyncIterator[AnyGateway]:
    """From its start to its end; it may be stopped before."""
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()
        await gateway.wait()


def api_of(site: Gateway) -> httpx.AsyncClient:
    """Ask it as its command line does."""
    transport = httpx.AsyncHTTPTransport(uds=str(site.settings.socket))
    return httpx.AsyncClient(transport=transport, base_url="http://doorward/api/v1")


def profiles(site: VirtualSite) -> list[dict[str, Any]]:
    """What its boards are started with."""
    content = json.loads((site.settings.directory / SITE_FILE).read_text())
    boards: list[dict[str, Any]] = content["boards"]
    return boards


def is_current(site: Gateway, door: str = "front") -> bool:
    """Whether the door's board is there and holds its rules."""
    view = site.cases.states.get(door)
    return view.online and view.policy_version == view.policy_wanted
