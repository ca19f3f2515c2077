"""`doorward broker run` killed with a crowd on it: all come back to the next one, and nothing acknowledged is lost.

A crowd of DOORWARD_CROWD clients (200; the figures are of 1,000), users with passwords, whose sessions last. The time
that it takes is said, and not judged.
"""

import asyncio
import os
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from broker_alone import Running
from broker_support import Client

from doorward_core import mqtt

CROWD = int(os.environ.get("DOORWARD_CROWD", "200"))
SEED = int(os.environ.get("DOORWARD_TRUTH_SEED", "7"))
_PER_USER = 50
_MESSAGES = 3  # for each client, half of them away
PASSWORD = "correct horse battery"


@dataclass
class Member:
    """One client of the crowd, and what it has heard in all its lives."""

    user: str
    name: str
    heard: set[bytes] = field(default_factory=set)
    codes: list[int] = field(default_factory=list)
    client: Client | None = None

    @property
    def topic(self) -> str:
        return f"users/{self.user}/{self.name}"

    async def come(self, port: int) -> bool:
        """Connect, however often it takes; whether its session was there."""
        while True:
            client = await Client.open(port)
            present, code = await client.try_connect(
                self.user, client_id=self.name, password=PASSWORD, clean=False
            )
            self.codes.append(code)
            if code == mqtt.ACCEPTED:
                self.client = client
                return present
            await client.drop()
            await asyncio.sleep(0.1)

    async def listen(self) -> None:
        """Take what there is by now, and acknowledge it."""
        assert self.client is not None
        self.heard.update(one.payload for one in await self.client.messages())

    async def drop(self) -> None:
        if self.client is not None:
            await self.client.drop()


def crowd() -> list[Member]:
    return [Member(f"user{number // _PER_USER}", f"c{number}") for number in range(CROWD)]


async def publish_until_killed(running: Running, members: list[Member], left: int) -> set[bytes]:
    """Give everybody messages; after so many acknowledgements the broker is killed. What was acknowledged."""
    acknowledged: set[bytes] = set()

    async def publish(user: str) -> None:
        nonlocal left
        client = await Client.open(running.port_base + 2)
        await client.connect(user, client_id=f"{user}-source", password=PASSWORD)
        try:
            for number in range(_MESSAGES):
                for one in members:
                    if one.user == user:
                        payload = f"{one.name} {number}".encode()
                        await client.publish(one.topic, payload)
                        acknowledged.add(payload)
                        left -= 1
                        if left == 0:
                            running.process.kill()
        except (OSError, EOFError):
            pass  # it was killed
        finally:
            await client.drop()

    await asyncio.gather(*(publish(user) for user in {one.user: None for one in members}))
    return acknowledged


@pytest.mark.timeout(600)
async def test_all_clients_come_back_to_a_broker_that_was_killed(tmp_path: Path) -> None:
    die, members, running = random.Random(SEED), crowd(), Running(tmp_path / "d")
    with running:
        for user in {one.user: None for one in members}:
            added = running.call(
                *("broker", "users", "add", user, "--role", "User"), DOORWARD_PASSWORD=PASSWORD
            )
            assert added.returncode == 0, added.stderr
        port = running.port_base + 2
        assert not any(await asyncio.gather(*(one.come(port) for one in members)))
        for one in members:
            assert one.client is not None
            assert list(await one.client.subscribe(one.topic)) == [1]
        for one in members[::2]:  # these are away meanwhile
            await one.drop()
        kill_at = die.randrange(CROWD, CROWD * _MESSAGES)
        acknowledged = await publish_until_killed(running, members, kill_at)
        assert len(acknowledged) >= kill_at
        running.process.wait()
    for one in members:
        await one.drop()
        one.codes.clear()
    with running:
        begun = time.monotonic()
        present = await asyncio.gather(*(one.come(port) for one in members))
        took = time.monotonic() - begun
        await asyncio.gather(*(one.listen() for one in members))
        for one in members:
            await one.drop()
    refused = sum(code != mqtt.ACCEPTED for one in members for code in one.codes)
    print(f"{CROWD} clients were back after {took:.1f} s, {refused} of them refused at first")
    assert all(present), "every session was kept"
    assert refused == 0
    heard = set().union(*(one.heard for one in members))
    missing = acknowledged - heard
    assert not missing, f"seed {SEED}: {len(missing)} acknowledged and lost"
