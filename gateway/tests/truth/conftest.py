"""Brokers that forget nothing, and some that do."""

import os
import random
from collections.abc import AsyncIterator

import pytest

from truth.processes import BrokerProcesses

SEED = int(os.environ.get("DOORWARD_TRUTH_SEED", "20261121"))


@pytest.fixture
async def processes() -> AsyncIterator[BrokerProcesses]:
    async with BrokerProcesses.open() as processes:
        yield processes


@pytest.fixture
def seed() -> int:
    """Another one with DOORWARD_TRUTH_SEED=…: a failure names the one that it was found with."""
    return SEED


@pytest.fixture
def dice(seed: int) -> random.Random:
    return random.Random(seed)
