"""The firmware's MQTT clients, own and over umqtt.simple, on real MicroPython against real brokers."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
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


@pytest.mark.parametrize("client", ["own", "umqtt"])
async def test_every_client_keeps_the_contract(
    client: str, broker: Stoppable, odd_port: int
) -> None:
    path = f"{umqtt_simple.folder()}:.frozen" if client == "umqtt" else ".frozen"
    process = await asyncio.create_subprocess_exec(
        *(str(INTERPRETER), str(HERE / "run.py"), str(HERE / "contract" / "test_clients.py")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={
            **os.environ,
            "CLIENT": client,
            "BROKER_PORT": str(broker.port),
            "ODD_PORT": str(odd_port),
            "MICROPYPATH": path,
        },
    )
    try:
        told, _ = await asyncio.wait_for(process.communicate(), 120)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, told.decode()
