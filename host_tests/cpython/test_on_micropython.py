"""Every shared test file, run once more by the interpreter that boards run."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from brokers import mosquitto

HERE = Path(__file__).parent.parent
SHARED = sorted(HERE.glob("test_*.py"))
ON_BOARD = sorted((HERE / "on_board").glob("test_*.py"))


def run(file: Path, **environment: str) -> None:
    interpreter = Path(sys.executable).with_name("micropython")
    done = subprocess.run(  # noqa: PLW1510 - the status is the result
        [interpreter, HERE / "run.py", file],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def broker_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as port:
        yield port


@pytest.mark.parametrize("file", SHARED, ids=lambda file: file.stem)
def test_shared(file: Path) -> None:
    run(file)


@pytest.mark.parametrize("file", ON_BOARD, ids=lambda file: file.stem)
def test_on_board_only(file: Path, broker_port: int) -> None:
    run(file, BROKER_PORT=str(broker_port))


def test_a_failing_test_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "test_wrong.py"
    file.write_text("def test_wrong():\n    raise ValueError('wrong')\n")
    with pytest.raises(AssertionError, match="FAILED test_wrong"):
        run(file)
