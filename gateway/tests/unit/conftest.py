"""A fresh scene for each test."""

from pathlib import Path

import pytest
from stage import Scene

from doorward.signer.publisher import Publisher


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "signer")


@pytest.fixture(scope="session")
def signing_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key that signs firmware: primes take their time."""
    folder = tmp_path_factory.mktemp("key")
    Publisher(folder).public()
    return folder
