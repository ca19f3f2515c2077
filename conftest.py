"""What tests of every folder share: firmware that is compiled once, and a lab to run it in."""

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import kept_builds
import pytest

from doorward_lab import Lab

# httpx asks at every step of a request whether it runs under trio. A module that is known to be missing is not looked
# for in every folder of the path again.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]

kept_builds.install()


def pytest_sessionstart() -> None:
    """Before the first test of a run, once for all its processes."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        kept_builds.tidy()


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where compiled firmware is kept, from test to test and for all processes of a run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "mpy"
    folder.mkdir(exist_ok=True)  # a test may link to it before anything is compiled
    return folder


@pytest.fixture
async def lab(tmp_path: Path, cache: Path) -> AsyncIterator[Lab]:
    """Runs the boards of one test."""
    async with Lab(tmp_path / "lab", cache=cache) as running:
        yield running
