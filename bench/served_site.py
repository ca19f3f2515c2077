"""A virtual site without its lab, as a process for a bench: `served_site.py DIR CARDS [plain]`.

Prints one JSON line when it serves: the board's profile, a card that may pass, the plain port, and two principals for
echoes; and a second one, "current", when the board holds its rules. CARDS more cards are in the rules. With `plain` the
board has no certificate and needs none, for comparison. Ends on SIGTERM.
"""

import asyncio
import json
import logging
import secrets
import signal
import sys
from pathlib import Path

from sqlalchemy import insert

from doorward import config, logs
from doorward.adapters.store import tables
from doorward.broker import Role
from doorward.broker.identity.certificates import NoCertificates
from doorward.runtime.demo.gateway import VirtualSite
from doorward.runtime.usecases import UseCases

CARD = "member"
ANY_PORT = {"web": {"port": 0}, "mqtt": {"port": 0}}


class CrowdedSite(VirtualSite):
    """A virtual site with many more cards than people."""

    def __init__(self, directory: Path, cards: int) -> None:
        super().__init__(config.load(directory, defaults=ANY_PORT, environ={}))
        self._cards = cards

    async def prepare(self, cases: UseCases) -> None:
        await super().prepare(cases)
        if self._cards:
            await self.store._writer.run(self._fill)  # noqa: SLF001 - no user adds 10,000 at once
            await cases.rulebook.refresh()

    def _fill(self, connection) -> None:
        """A card each for many of the same person: what counts is how many there are."""
        person = {"person_id": 1, "strength": 1, "added_ms": 0}
        rows = [{"uid": number.to_bytes(7, "big"), **person} for number in range(self._cards)]
        connection.execute(insert(tables.credential), rows)


async def serve(directory: Path, cards: int, *, plain: bool) -> None:
    """Serve until SIGTERM."""
    directory.mkdir(parents=True)
    site = CrowdedSite(directory, cards)
    await site.start()
    echo = {name: secrets.token_hex(32) for name in ("echo-a", "echo-b")}
    for name, secret in echo.items():
        site.principals.add(name, secret, Role.GATEWAY, keep=False)
    content = json.loads((directory / "site.json").read_text())
    profile = content["boards"][0]
    if plain:
        site.broker._exchange.certificates = NoCertificates()  # noqa: SLF001 - no installation can be set to this
        del profile["tls"]
        profile["broker"]["port"] = site.plain_port
    ready = {
        "profile": profile,
        "card": content["cards"][CARD],
        "plain_port": site.plain_port,
        "echo": echo,
    }
    print(json.dumps(ready), flush=True)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    watching = asyncio.create_task(tell_when_current(site))
    await stopped.wait()
    watching.cancel()
    await site.stop()


async def tell_when_current(site: CrowdedSite) -> None:
    """Say so when the board has connected and fetched what it needs to decide alone."""
    while True:
        door = site.cases.states.get("front")
        if door.online and door.policy_wanted and door.policy_version == door.policy_wanted:
            print('"current"', flush=True)
            return
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    logs.configure(logging.WARNING)
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]), plain="plain" in sys.argv[3:]))
