"""Small programs for boards."""

from collections.abc import Callable
from pathlib import Path

import pytest


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
