"""A lab for each test, with code compiled once per session, and small programs for its boards."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from doorward_lab import Lab


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
async def lab(tmp_path: Path, cache: Path) -> AsyncIterator[Lab]:
    async with Lab(tmp_path / "lab", cache=cache) as running:
        yield running


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., Path]:
    """Makes a firmware folder: `program(main="…", boot="…")`; other keywords are further modules."""

    def write(folder: str = "firmware", /, **files: str) -> Path:
        target = tmp_path / folder
        target.mkdir(exist_ok=True)
        for name, source in files.items():
            (target / f"{name}.py").write_text(source)
        return target

    return write
