"""A hundred thousand damaged packets over sockets: no crash, no hang, no leak, and nobody else notices."""

import asyncio
import contextlib
import random
import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest
from tls_witness import BROKER

from truth import packets
from truth.peer import PATIENCE, Peer
from truth.processes import BrokerProcesses, Started, memory
from truth.sites import CERTIFIED, FUZZERS, LOG, prepared

PACKETS = 100_000
OVER_TLS = 4_000
BEFORE_CONNECT = 2_000
LONGEST = 60  # packets of one connection
GROWTH = 8 << 20  # bytes of memory, over eight thousand connections


@dataclass
class Count:
    """What was sent."""

    packets: int = 0
    connections: int = 0
    echoes: int = 0


class Fuzzer:
    """One client after another, each until the broker has had enough of it."""

    def __init__(
        self, name: str, seed: int, broker: Started, tls: ssl.SSLContext | None, count: Count
    ):
        self._name = name
        self._dice = random.Random(f"{seed} {name}")
        self._bursts = packets.bursts(name, self._dice, LONGEST)
        self._target = {"port": broker.port}
        self.tls = tls is not None
        if tls is not None:
            self._target = {"port": broker.secure_port, "ssl": tls, "server_hostname": BROKER}
        self._raw = (broker.port, broker.secure_port)
        self._count = count

    async def run(self, packets_wanted: int) -> None:
        """Log in, and say what is wrong."""
        sent = 0
        while sent < packets_wanted:
            burst = next(self._bursts)
            await self._say([packets.connect(self._name, self._dice), *burst])
            sent += len(burst)
            self._count.packets += len(burst)

    async def run_before_connect(self, packets_wanted: int) -> None:
        """Say something else than CONNECT, or a damaged one, to either listener."""
        good = packets.corpus(self._name)
        for number in range(packets_wanted):
            first = packets.connect(self._name, self._dice)
            if number % 4 == 0:
                first = self._dice.choice(good)
            # At the second port nothing but TLS is spoken.
            target = {"port": self._raw[number % 5 == 0]}
            await self._say([packets.mutated(first, self._dice)], target)
            self._count.packets += 1

    async def _say(self, said: list[bytes], target: dict | None = None) -> None:
        """All of it with one write, then our end; the broker has to close its own in time."""
        self._count.connections += 1
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", **(target or self._target))
            with contextlib.suppress(OSError):  # the broker was quicker, and is gone
                writer.write(b"".join(said))
                if not self.tls:
                    writer.write_eof()
                    await reader.read(-1)
                else:
                    # TLS has no half of a goodbye. What ends it there is an acknowledgement of nothing, unless the
                    # broker waits for the rest of a packet: then it is we who leave.
                    writer.write(b"\x62\x02\0\0")
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(reader.read(-1), 0.3)
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()


async def echo(port: int, done: asyncio.Event, count: Count) -> None:
    """A good client that asks again and again whether it still gets what it publishes."""
    control = Peer("control")
    await control.connect(port, clean=True)
    await control.subscribe(("control/echo", 1))
    while not done.is_set():
        payload = b"echo %d" % count.echoes
        control.publish("control/echo", payload, 1)
        await control.settle()
        assert payload in [one.payload for one in control.take()]
        count.echoes += 1
        await asyncio.sleep(0.02)
    await control.disconnect()


class Campaign:
    """So many packets against one broker, a good client beside them, and what there is to complain about."""

    def __init__(self, processes: BrokerProcesses, folder: Path, seed: int) -> None:
        self._processes = processes
        self._folder = folder
        self._seed = seed
        self.count = Count()
        self.grown = 0

    async def run(self, wanted: int, mutant: str | None = None) -> list[str]:
        contexts = prepared(self._folder)
        async with self._processes.started(self._folder, site="for all", mutant=mutant) as broker:
            fuzzers = [
                Fuzzer(name, self._seed, broker, contexts.get(name), self.count)
                for name in (*FUZZERS, *CERTIFIED)
            ]
            done = asyncio.Event()
            echoing = asyncio.create_task(echo(broker.port, done, self.count))
            await _share(fuzzers, wanted // 5)
            before = memory(broker.pid)
            await _share(fuzzers, wanted - wanted // 5)
            self.grown = memory(broker.pid) - before
            done.set()
            await echoing
        log = (self._folder / LOG).read_text()
        assert "closed, malformed topic filter" in log, "the positive control: it logs"
        assert log.count("t0@") > 2, "and lets in who has a certificate"
        told = [line for line in log.splitlines() if "internal error" in line or "ERROR" in line]
        if self.grown > GROWTH:
            told.append(f"grown by {self.grown} bytes")
        return told


async def _share(fuzzers: list[Fuzzer], wanted: int) -> None:
    plain, tls = len(FUZZERS), len(CERTIFIED)
    over_tls = wanted * OVER_TLS // PACKETS // tls
    await asyncio.gather(
        *(fuzzer.run(over_tls if fuzzer.tls else wanted // plain) for fuzzer in fuzzers)
    )
    early = wanted * BEFORE_CONNECT // PACKETS // plain
    await asyncio.gather(*(fuzzer.run_before_connect(early) for fuzzer in fuzzers[:plain]))


@pytest.mark.timeout(600)
async def test_a_hundred_thousand_damaged_packets_harm_nobody(tmp_path, processes, seed, capsys):
    campaign = Campaign(processes, tmp_path, seed)
    told = await campaign.run(PACKETS)
    with capsys.disabled():
        print(f" {campaign.count}, grown by {campaign.grown >> 10} KiB ", end="")
    assert campaign.count.packets >= PACKETS
    assert campaign.count.echoes > 20
    assert told == [], f"seed {seed}"


@pytest.mark.parametrize(
    ("mutant", "told"),
    [
        ("does not expect a short SUBSCRIBE", "internal error"),
        ("remembers every connection", "grown by"),
    ],
)
async def test_a_broker_that_trips_or_leaks_is_caught(tmp_path, processes, seed, mutant, told):
    found = await Campaign(processes, tmp_path, seed).run(PACKETS // 10, mutant)
    assert any(told in line for line in found)
