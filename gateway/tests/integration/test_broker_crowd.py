"""A site behind one router: everybody comes back at once after a restart, beside somebody who guesses passwords."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

from argon2 import PasswordHasher
from broker_support import Client, RunningBroker, running_broker

from doorward.adapters.passwords import Argon2Passwords
from doorward.broker.identity.logins import PasswordLogins
from doorward_core import mqtt

PASSWORD = "correct horse battery"
SITE, ELSEWHERE = "127.0.0.2", "127.0.0.3"
PEOPLE = [f"user{number}" for number in range(100)]


@contextlib.asynccontextmanager
async def broker(folder: Path) -> AsyncIterator[RunningBroker]:
    """Its clock stands still: who has to wait does so until the end, however long the test takes."""
    passwords = Argon2Passwords()
    try:
        async with running_broker(
            folder, logins=lambda principals: PasswordLogins(principals, passwords, lambda: 1000.0)
        ) as site:
            yield site
    finally:
        passwords.close()


async def add_users(site: RunningBroker, *names: str) -> None:
    # Cheaper to try than what the broker makes itself: it is the order that is looked at here.
    hashed = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    for name in names:
        site.broker.acl.add_user(name, hashed, ["User"])
    await site.broker.acl.settle()


async def knock(site: RunningBroker, name: str, password: str, address: str) -> int:
    """The code of one CONNECT."""
    client = await Client.open(site.port, source=address)
    try:
        _, code = await client.try_connect(name, password=password)
    finally:
        await client.drop()
    return code


async def come_back(site: RunningBroker) -> Counter[int]:
    """Everybody of the site at once; the codes of their first try."""
    return Counter(await asyncio.gather(*(knock(site, one, PASSWORD, SITE) for one in PEOPLE)))


class Flood:
    """Guesses without end at invented names and at one that is there, from one address."""

    def __init__(self, site: RunningBroker, address: str) -> None:
        self.codes: Counter[int] = Counter()
        self.felt = asyncio.Event()  # the address waits, whatever the name
        self._site, self._address = site, address
        self._made = 0

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._guess()) for _ in range(8)]
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    async def _guess(self) -> None:
        while True:
            self._made += 1
            known = self._made % 2
            name = "victim" if known else f"invented{self._made}"
            code = await knock(self._site, name, "wrong", self._address)
            self.codes[code] += 1
            if code == mqtt.UNAVAILABLE:
                if not known:
                    self.felt.set()
                await asyncio.sleep(0.01)


async def test_a_hundred_clients_of_one_address_come_back_beside_somebody_who_guesses(
    tmp_path: Path,
) -> None:
    """Mutants: who came in before is not kept over the restart; an address that waits waits for them, too."""
    async with broker(tmp_path) as site:
        await add_users(site, *PEOPLE, "victim", "newcomer")
        assert await come_back(site) == {mqtt.ACCEPTED: 100}
    async with broker(tmp_path) as site, Flood(site, SITE) as here, Flood(site, ELSEWHERE) as there:
        async with asyncio.timeout(60):
            await asyncio.gather(here.felt.wait(), there.felt.wait())
        assert await come_back(site) == {mqtt.ACCEPTED: 100}
        assert await knock(site, "victim", PASSWORD, "127.0.0.4") == mqtt.ACCEPTED
        # The positive control: the guessing is held up, and with it whom nobody can tell from it.
        assert await knock(site, "newcomer", PASSWORD, SITE) == mqtt.UNAVAILABLE
        for flood in (here, there):
            assert not flood.codes[mqtt.ACCEPTED]
            assert flood.codes[mqtt.BAD_LOGIN] < 50
            assert flood.codes[mqtt.UNAVAILABLE] > 0
