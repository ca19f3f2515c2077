"""A board's surroundings: a foreign broker, and a gateway behind it that knows one card."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from brokers import mosquitto
from scripted_gateway import MEMBER, ScriptedGateway


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with mosquitto(tmp_path) as port:
        yield port


@pytest.fixture
def gateway(port: int) -> Iterator[ScriptedGateway]:
    gateway = ScriptedGateway(port)
    gateway.cards = {MEMBER}
    yield gateway
    gateway.close()
