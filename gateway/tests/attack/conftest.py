"""Compiled firmware, kept from test to test."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def mpy_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mpy")
