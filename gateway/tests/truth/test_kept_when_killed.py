"""Killed in the instant of an acknowledgement, the broker still has what it acknowledged, and nothing twice."""

import random
from collections import Counter
from pathlib import Path

import pytest
from broker_support import GATEWAY, topic

from doorward_core import mqtt, topics
from truth.peer import Peer
from truth.processes import BrokerProcesses

EVENTS = topic("front", topics.EVENTS)
REPORTED = topic("front", topics.REPORTED)
KILLS = 100
ACKNOWLEDGEMENTS = {mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBCOMP}


class Campaign:
    """A board publishes to a gateway that is away, and the broker is killed again and again."""

    def __init__(self, processes: BrokerProcesses, directory: Path, seed: int) -> None:
        self.processes = processes
        self.directory = directory
        self.dice = random.Random(seed)
        self.front = Peer("front")
        self.sent: list[tuple[bytes, int, bool]] = []  # payload, QoS, retained; in this order

    async def subscribe(self) -> None:
        async with self.processes.running(self.directory) as (_, port):
            gateway = Peer(GATEWAY)
            await gateway.connect(port)
            await gateway.subscribe((EVENTS, 2), (REPORTED, 2))
            await gateway.drop()

    async def killed(self, mutant: str | None = None) -> None:
        """One broker's life: finish what the last one left, publish a burst, die at one of the acknowledgements."""
        async with self.processes.running(self.directory, mutant) as (kill, port):
            left = self.dice.randrange(1, 30)
            # What the broker said in its last moment reaches us, or the link died with it.
            hears_the_rest = self.dice.random() < 0.5

            def on_packet(kind: int) -> bool:
                nonlocal left
                if kind in ACKNOWLEDGEMENTS:
                    left -= 1
                    if left == 0:
                        kill()
                return left >= 0 or hears_the_rest

            self.front.on_packet = on_packet
            await self.front.connect(port)
            for _ in range(30):
                qos, retain = self.dice.choice((1, 2)), self.dice.random() < 0.2
                payload = b"%d" % len(self.sent)
                self.sent.append((payload, qos, retain))
                self.front.publish(REPORTED if retain else EVENTS, payload, qos, retain=retain)
            await self.front.ended()

    async def found(self) -> tuple[list[bytes], list[bytes]]:
        """What the gateway finds when it comes back, and what a stranger to the queue finds retained."""
        async with self.processes.running(self.directory) as (_, port):
            self.front.on_packet = lambda _kind: True
            assert await self.front.connect(port) == (True, mqtt.ACCEPTED)
            await self.front.settle()
            await self.front.disconnect()
            gateway = Peer(GATEWAY)
            assert await gateway.connect(port) == (True, mqtt.ACCEPTED)
            await gateway.settle()
            queued = [one.payload for one in gateway.take()]
            await gateway.subscribe((REPORTED, 1))
            await gateway.settle()
            retained = [one.payload for one in gateway.take() if one.retain]
            await gateway.disconnect()
            return queued, retained

    async def complaints(self) -> list[str]:
        """How the broker broke its word."""
        queued, retained = await self.found()
        times = Counter(queued)
        promised = set(self.front.promised)
        lost = [payload for payload in self.front.promised if not times[payload]]
        doubled = [payload for payload, qos, _ in self.sent if qos == 2 and times[payload] > 1]
        states = [payload for payload, _, retain in self.sent if retain]
        last = max((i for i, payload in enumerate(states) if payload in promised), default=-1)
        told = [f"acknowledged and lost: {lost}"] * bool(lost)
        told += [f"QoS 2 and twice: {doubled}"] * bool(doubled)
        if last >= 0 and not (len(retained) == 1 and states.index(retained[0]) >= last):
            told.append(f"retained is {retained}, acknowledged was {states[last]!r}")
        firsts = list(dict.fromkeys(payload for payload in queued if payload in promised))
        if firsts != sorted(firsts, key=int):
            told.append("not in the order of the publishes")
        return told


@pytest.mark.timeout(240)
async def test_nothing_acknowledged_is_lost_and_nothing_doubled(tmp_path, processes, seed):
    campaign = Campaign(processes, tmp_path, seed)
    await campaign.subscribe()
    for _ in range(KILLS):
        await campaign.killed()
    assert len(campaign.front.promised) > 10 * KILLS
    assert await campaign.complaints() == [], f"seed {seed}"


@pytest.mark.parametrize(
    "mutant", ["acknowledges before the commit", "forgets what it took at QoS 2"]
)
async def test_a_broker_that_breaks_its_word_is_caught(tmp_path, processes, seed, mutant):
    campaign = Campaign(processes, tmp_path, seed)
    await campaign.subscribe()
    for _ in range(KILLS // 10):
        await campaign.killed(mutant)
    assert await campaign.complaints(), f"seed {seed}"
