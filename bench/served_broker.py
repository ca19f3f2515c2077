"""doorward's broker alone, as a process for bench/broker.py: `served_broker.py DIR`, after DIR/site.json.

Ends on SIGTERM. Without DIR it forks a broker for every directory that it reads on stdin, and prints its process id.

It loads what the broker needs and nothing else of the gateway.
"""

import asyncio
import json
import logging
import os
import resource
import signal
import ssl
import sys
from pathlib import Path
from typing import Any

from doorward.broker import Broker, Limits, Policy, Principals, Role, Secure
from doorward.broker.store import BrokerStore

KEY = bytes(range(32))
LOOPBACK = "127.0.0.1"
SWITCH_S = 0.0005  # as the gateway has it


class Known:
    """Who has which certificate."""

    def __init__(self, serials: dict[str, int]) -> None:
        self._serials = serials

    def serial(self, device: str) -> int | None:
        """Only who comes over TLS has one here."""
        return self._serials.get(device)

    def is_revoked(self, serial: int) -> bool:
        """Nobody was."""
        return False


def secure(site: dict[str, Any]) -> Secure | None:
    """The listener for clients with certificates, as the gateway's."""
    if not site["certificates"]:
        return None
    folder = Path(site["certificates"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(folder / "ca.pem")
    context.load_cert_chain(folder / "server.pem")
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    return Secure(LOOPBACK, site["secure_port"], context)


async def serve(directory: Path) -> None:
    """Serve until SIGTERM."""
    site = json.loads((directory / "site.json").read_text())
    principals = Principals()
    for number, (name, secret) in enumerate(site["secrets"].items()):
        principals.add(name, secret, Role.DEVICE if number else Role.GATEWAY, keep=False)
    serials = {}
    if site["certificates"]:
        serials = json.loads((Path(site["certificates"]) / "serials.json").read_text())
    broker = Broker(
        BrokerStore.open(directory / "broker.db", KEY),
        principals,
        Policy(site["base"]),
        # The others have no rate: ours counts, and never says stop.
        limits=Limits(publish_rate=1e9, publish_bytes=1e12),
        certificates=Known(serials),
    )
    await broker.start(LOOPBACK, site["port"], secure(site))
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    await broker.stop()


def main() -> None:
    """One broker, or one for every directory that is named on stdin, forked and told by its process id."""
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sys.setswitchinterval(SWITCH_S)
    if len(sys.argv) > 1:
        asyncio.run(serve(Path(sys.argv[1])))
        return
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            asyncio.run(serve(Path(line.strip())))
            return
        print(child, flush=True)


if __name__ == "__main__":
    main()
