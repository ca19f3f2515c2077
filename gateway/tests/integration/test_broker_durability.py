"""Killed in the instant of an acknowledgement, the broker still has what it acknowledged."""

import asyncio
import contextlib
import os
import random
import signal
import sys
from pathlib import Path

import pytest
from broker_support import GATEWAY, Client, topic

from doorward_core import mqtt, topics

HERE = Path(__file__).parent
EVENTS = topic("front", topics.EVENTS)
REPORTED = topic("front", topics.REPORTED)
ROUNDS = 30


class BrokerProcesses:
    """Starts brokers in processes of their own: one that has everything imported forks them."""

    def __init__(self, parent):
        self._parent = parent

    @contextlib.asynccontextmanager
    async def running(self, directory):
        """(kill, port) of a new broker; it is killed at the end in any case."""
        self._parent.stdin.write(f"{directory}\n".encode())
        pid, port = map(int, (await self._parent.stdout.readline()).split())

        def kill():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

        try:
            yield kill, port
        finally:
            kill()


@pytest.fixture
async def processes():
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        HERE / "broker_process.py",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    yield BrokerProcesses(parent)
    parent.stdin.close()
    await parent.wait()


async def test_nothing_acknowledged_is_lost_when_killed_at_the_puback(tmp_path, processes):
    dice = random.Random(30)
    promised: list[bytes] = []
    state = b""
    for turn in range(ROUNDS):
        async with processes.running(tmp_path) as (kill, port):
            if turn == 0:
                gateway = await Client.open(port)
                await gateway.connect(GATEWAY, clean=False)
                await gateway.subscribe(EVENTS)
                await gateway.drop()
            front = await Client.open(port)
            await front.connect("front")
            many = dice.randrange(1, 40)
            for number in range(1, many + 1):
                body = b"%d.%d" % (turn, number)
                front.write(mqtt.publish(EVENTS, body, 1, False, False, number))
            front.write(mqtt.publish(REPORTED, b"%d" % turn, 1, True, False, many + 1))
            fatal = dice.randrange(1, many + 2)
            for _ in range(fatal):
                number = mqtt.parse_ack(await front.expect(mqtt.PUBACK))
                if number == fatal:
                    kill()
                if number <= many:
                    promised.append(b"%d.%d" % (turn, number))
                else:
                    state = b"%d" % turn
            await front.drop()
    async with processes.running(tmp_path) as (kill, port):
        gateway = await Client.open(port)
        assert await gateway.connect(GATEWAY, clean=False)
        got = [one.payload for one in await gateway.messages()]
        assert [body for body in got if body in set(promised)] == promised
        assert len(got) == len(set(got))
        await gateway.subscribe(REPORTED)
        (kept,) = await gateway.messages()
        assert kept.retain
        assert int(kept.payload) >= int(state or b"0")
        await gateway.drop()


async def test_a_qos_2_publish_is_not_doubled_when_killed_at_the_pubrec(tmp_path, processes):
    for turn in range(8):
        number = 100 + turn
        for dup in (False, True):
            async with processes.running(tmp_path) as (kill, port):
                if turn == 0 and not dup:
                    gateway = await Client.open(port)
                    await gateway.connect(GATEWAY, clean=False)
                    await gateway.subscribe(EVENTS)
                    await gateway.drop()
                front = await Client.open(port)
                await front.connect("front", clean=False)
                front.write(mqtt.publish(EVENTS, b"%d" % turn, 2, False, dup, number))
                assert mqtt.parse_ack(await front.expect(mqtt.PUBREC)) == number
                if dup:
                    front.write(mqtt.ack(mqtt.PUBREL, number))
                    assert mqtt.parse_ack(await front.expect(mqtt.PUBCOMP)) == number
                kill()
                await front.drop()
    async with processes.running(tmp_path) as (kill, port):
        gateway = await Client.open(port)
        await gateway.connect(GATEWAY, clean=False)
        assert [one.payload for one in await gateway.messages()] == [b"%d" % n for n in range(8)]
        await gateway.drop()
