"""Killed in the instant of an acknowledgement, the broker still has what it acknowledged, and nothing twice."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from doorward_core import mqtt
from truth.peer import Peer
from truth.processes import BrokerProcesses
from truth.promises import EVENTS, Sent, broken, leave_a_session, look

KILLS = 100
ACKNOWLEDGEMENTS = {mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBCOMP}


class Campaign:
    """A board publishes to a gateway that is away, and the broker is killed again and again.

    With `listens` it subscribes to the same topic, and acknowledges at once whatever comes back to it.
    """

    def __init__(
        self, processes: BrokerProcesses, directory: Path, seed: int, *, listens: bool = False
    ) -> None:
        self.processes = processes
        self.directory = directory
        self.dice = random.Random(seed)
        self.front = Peer("front")
        self.sent: list[Sent] = []
        self.listens = listens
        self.site = "public" if listens else "plain"

    async def subscribe(self) -> None:
        async with self.processes.started(self.directory, site=self.site) as broker:
            await leave_a_session(broker.port)
            if self.listens:
                await self.front.connect(broker.port)
                await self.front.subscribe((EVENTS, 1))
                await self.front.drop()

    async def killed(self, mutant: str | None = None) -> None:
        """One broker's life: finish what the last one left, publish a burst, die at one of the acknowledgements."""
        async with self.processes.started(self.directory, site=self.site, mutant=mutant) as broker:
            left = self.dice.randrange(1, 30)
            # What the broker said in its last moment reaches us, or the link died with it.
            hears_the_rest = self.dice.random() < 0.5

            def on_packet(kind: int) -> bool:
                nonlocal left
                if kind in ACKNOWLEDGEMENTS:
                    left -= 1
                    if left == 0:
                        broker.kill()
                return left >= 0 or hears_the_rest

            self.front.on_packet = on_packet
            await self.front.connect(broker.port)
            for _ in range(30):
                one = Sent.any(b"%d" % len(self.sent), self.dice)
                self.sent.append(one)
                one.by(self.front)
            await self.front.ended()

    async def complaints(self) -> list[str]:
        """How the brokers broke their word."""
        async with self.processes.started(self.directory, site=self.site) as broker:
            found = await look(broker.port, self.front)
        return broken(self.sent, self.front.promised, found)


@pytest.mark.timeout(600)
async def test_nothing_acknowledged_is_lost_and_nothing_doubled(tmp_path, processes, seed):
    campaign = Campaign(processes, tmp_path, seed)
    await campaign.subscribe()
    for _ in range(KILLS):
        await campaign.killed()
    assert len(campaign.front.promised) > 10 * KILLS
    assert await campaign.complaints() == [], f"seed {seed}"


@pytest.mark.timeout(600)
async def test_who_is_here_does_not_answer_for_who_is_away(tmp_path, processes, seed):
    campaign = Campaign(processes, tmp_path, seed, listens=True)
    await campaign.subscribe()
    for _ in range(KILLS // 4):
        await campaign.killed()
    heard = {one.payload for one in campaign.front.take()}
    assert len(heard.intersection(campaign.front.promised)) > 5 * KILLS // 4, "of itself"
    assert await campaign.complaints() == [], f"seed {seed}"


@pytest.mark.parametrize(
    ("mutant", "listens"),
    [
        ("acknowledges before the commit", False),
        ("acknowledges what one of two clients has", True),
        ("forgets what it took at QoS 2", False),
    ],
)
async def test_a_broker_that_breaks_its_word_is_caught(tmp_path, processes, seed, mutant, listens):
    campaign = Campaign(processes, tmp_path, seed, listens=listens)
    await campaign.subscribe()
    for _ in range(KILLS // 10):
        await campaign.killed(mutant)
    assert await campaign.complaints(), f"seed {seed}"


async def sessions_against_connack(
    processes: BrokerProcesses, directory: Path, mutant: str | None
) -> int:
    """How often a broker, killed at its CONNACK, knows another session afterwards than it said."""
    wrong = 0
    for number in range(6):
        kept = number % 2 == 0  # what the client asks for now; the last time it was the other
        front = Peer("front")
        async with processes.started(directory, mutant=mutant) as broker:

            def at_connack(_kind: int, kill: Callable[[], None] = broker.kill) -> bool:
                kill()
                return True

            front.on_packet = at_connack
            await front.connect(broker.port, clean=not kept)
            await front.ended()
        front.on_packet = lambda _kind: True
        async with processes.started(directory) as broker:
            present, _ = await front.connect(broker.port)
            wrong += present is not kept
            await front.disconnect()
            if kept:
                continue
            await front.connect(broker.port, clean=True)
            await front.disconnect()
    return wrong


async def test_what_connack_says_of_a_session_survives_a_kill(tmp_path, processes):
    assert await sessions_against_connack(processes, tmp_path, None) == 0


async def test_a_connack_before_the_commit_is_caught(tmp_path, processes):
    mutant = "acknowledges before the commit"
    assert await sessions_against_connack(processes, tmp_path, mutant)
