"""The firmware's MQTT clients, own and over umqtt.simple, on real MicroPython against real brokers."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import umqtt_simple
from brokers import Stoppable
from odd_broker import odd_broker

HERE = Path(__file__).parents[1]
INTERPRETER = Path(sys.executable).with_name("micropython")


@pytest.fixture(params=Stoppable.KINDS)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stoppable]:
    made = Stoppable(request.param, tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
async def odd_port() -> AsyncIterator[int]:
    async with odd_broker() as port:
        yield port


async def run(file: str, path: str = ".frozen", **environment: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(str(INTERPRETER), str(HERE / "run.py"), str(HERE / "contract" / file)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "MICROPYPATH": path, **environment},
    )
    try:
        told, _ = await asyncio.wait_for(process.communicate(), 150)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, told.decode()


@pytest.mark.parametrize("client", ["own", "umqtt"])
async def test_every_client_keeps_the_contract(
    client: str, broker: Stoppable, odd_port: int
) -> None:
    path = f"{umqtt_simple.folder()}:.frozen" if client == "umqtt" else ".frozen"
    ports = {"BROKER_PORT": str(broker.port), "ODD_PORT": str(odd_port)}
    await run("test_clients.py", path, CLIENT=client, **ports)


async def test_more_publishes_than_there_are_identifiers(odd_port: int) -> None:
    await run("test_wrap.py", ODD_PORT=str(odd_port))


class Steady:
    """contract/steady.py at work, and every line it has said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[str] = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.lines.append(line.decode().strip())

    def numbers(self, word: str, qos: int) -> Counter[int]:
        start = f"{word} {qos} "
        return Counter(int(line[len(start) :]) for line in self.lines if line.startswith(start))

    async def until(self, condition: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(60):
                while not condition():  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError("\n".join(self.lines[-60:])) from None

    async def goes_on(self, count: int = 20) -> None:
        """Until that many more messages of each kind were acknowledged and came."""
        for qos in (1, 2):
            goal = max(self.numbers("acked", qos), default=0) + count
            await self.until(lambda: max(self.numbers("got", qos), default=0) >= goal)

    def missing(self, qos: int) -> set[int]:
        """Acknowledged long ago, and never delivered."""
        newest = max(self.numbers("got", qos))
        return {n for n in self.numbers("acked", qos) if n < newest} - set(self.numbers("got", qos))

    def stall_ms(self) -> int:
        return max(int(line.split()[1]) for line in self.lines if line.startswith("stall"))

    async def stop(self) -> None:
        self._process.kill()
        await self._process.wait()
        await self._reading


@pytest.fixture
async def steady(broker: Stoppable) -> AsyncIterator[Steady]:
    program = HERE / "contract" / "steady.py"
    process = await asyncio.create_subprocess_exec(
        *(str(INTERPRETER), str(program), str(broker.port), str(HERE.parent / "firmware")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    made = Steady(process)
    await made.goes_on(3)
    yield made
    await made.stop()


async def test_a_broker_that_is_killed_and_started_again(broker: Stoppable, steady: Steady) -> None:
    for times in (1, 2):
        broker.stop()
        await steady.until(lambda: steady.lines.count("down") == times)
        await asyncio.sleep(1)
        broker.start()
        await steady.goes_on()
    if broker.kind == "doorward":
        # Mosquitto forgets here what it has acknowledged; ours keeps it.
        for qos in (1, 2):
            assert not steady.missing(qos)
        assert not steady.numbers("lost", 2)
    assert not steady.numbers("lost", 1)
    assert set(steady.numbers("got", 2).values()) == {1}


async def test_a_broker_that_stands_still_is_left_and_found_again(
    broker: Stoppable, steady: Steady
) -> None:
    """The other end of a half-open connection: it takes bytes, and answers nothing."""
    broker.signal(signal.SIGSTOP)
    try:
        await steady.until(lambda: "down" in steady.lines)
        await asyncio.sleep(6)  # connecting works, and CONNECT is not answered: a black hole
    finally:
        broker.signal(signal.SIGCONT)
    await steady.goes_on()
    for qos in (1, 2):
        assert not steady.missing(qos)
        assert not steady.numbers("lost", qos)
    assert set(steady.numbers("got", 2).values()) == {1}
    # The loop went on all the time; a machine that is busy may take its own pauses.
    assert steady.stall_ms() < 1500
