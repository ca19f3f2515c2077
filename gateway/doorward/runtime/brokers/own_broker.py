"""A broker of our own, from its parts: in a gateway's process, or alone."""

import ssl
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from doorward.broker import Broker, OverWebSocket, Policy, Principals, Secure
from doorward.broker.identity.logins import PasswordLogins
from doorward.broker.identity.ports import Certificates, Passwords
from doorward.broker.ports import Store
from doorward.machine import LOOPBACK
from doorward.runtime.process.file_limit import broker_limits


class Ports(Protocol):
    """Where a broker listens: at `host` over TLS for clients and for WebSockets, and for this machine without."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def plain_port(self) -> int: ...

    @property
    def websocket_port(self) -> int: ...

    @property
    def websocket_origins(self) -> Sequence[str]:
        """The pages that may come, by their origins."""


def build(
    store: Store,
    principals: Principals,
    policy: Policy,
    passwords: Passwords,
    certificates: Certificates,
    limits: Mapping[str, Any],
) -> Broker:
    """Wire a broker whose users have passwords; `limits` are those of `Limits` that were set."""
    return Broker(
        store,
        principals,
        policy,
        limits=broker_limits(limits),
        certificates=certificates,
        logins=PasswordLogins(principals, passwords, time.monotonic),
    )


async def listen(
    broker: Broker, ports: Ports, clients: ssl.SSLContext, websockets: ssl.SSLContext
) -> int:
    """On all of its ports; returns the plain one. Raises PortInUse."""
    secure = Secure(ports.host, ports.port, clients)
    over_websocket = OverWebSocket(
        ports.host, ports.websocket_port, websockets, tuple(ports.websocket_origins)
    )
    return await broker.start(LOOPBACK, ports.plain_port, secure, over_websocket)
