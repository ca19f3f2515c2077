"""Every shared test file, run once more by the interpreter that boards run, on firmware as boards get it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import as_on_boards
import pytest
from brokers import mosquitto

HERE = Path(__file__).parent.parent
SHARED = sorted(HERE.glob("test_*.py"))
ON_BOARD = sorted((HERE / "on_board").glob("test_*.py"))
# For what hangs: the longest takes some 20 s of processor time, of which a busy machine gives it a tenth.
HANGS_S = 600

pytestmark = pytest.mark.timeout(HANGS_S + 60)


@pytest.fixture(scope="session")
def tests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of these tests, in words that the shortened firmware beside it knows."""
    folder = tmp_path_factory.mktemp("as_on_boards")
    as_on_boards.put(folder)
    return folder / "host_tests"


def run(tests: Path, file: Path, **environment: str) -> None:
    interpreter = Path(sys.executable).with_name("micropython")
    done = subprocess.run(  # noqa: PLW1510 - the status is the result
        [interpreter, tests / "run.py", tests / file],
        capture_output=True,
        text=True,
        timeout=HANGS_S,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def broker_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as port:
        yield port


@pytest.mark.parametrize("file", SHARED, ids=lambda file: file.stem)
def test_shared(file: Path, tests: Path) -> None:
    run(tests, file.relative_to(HERE))


@pytest.mark.parametrize("file", ON_BOARD, ids=lambda file: file.stem)
def test_on_board_only(file: Path, tests: Path, broker_port: int) -> None:
    run(tests, file.relative_to(HERE), BROKER_PORT=str(broker_port))


def test_a_failing_test_is_noticed(tmp_path: Path, tests: Path) -> None:
    file = tmp_path / "test_wrong.py"
    file.write_text("def test_wrong():\n    raise ValueError('wrong')\n")
    with pytest.raises(AssertionError, match="FAILED test_wrong"):
        run(tests, file)
