"""`doorward board flash` before it touches anything: what is only said, what is asked, and what is refused."""

import json
import os
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorward.cli.root import run

WORDS = ("board", "flash", "--board", "door-esp32", "--name", "front")


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORWARD_DATA", str(tmp_path / "none"))


@pytest.fixture
def image(tmp_path: Path) -> str:
    path = tmp_path / "mp.bin"
    path.write_bytes(bytes([0xE9, 4, 2, 32]) + bytes(60))
    return str(path)


@pytest.fixture
def port() -> Iterator[str]:
    master, slave = os.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


def test_a_dry_run_with_micropython_needs_neither_board_nor_gateway(
    image: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*WORDS, "--micropython", image, "--dry-run"]) == 0
    erase, write = capsys.readouterr().out.splitlines()
    assert erase == "esptool --chip esp32 --port PORT erase-flash"
    assert write.endswith(f"--baud 460800 write-flash 0x1000 {image}")
    words = [*WORDS, "--micropython", image, "--dry-run", "--json", "--port", "/dev/ttyUSB7"]
    assert run(words) == 0
    told = json.loads(capsys.readouterr().out)["commands"]
    assert told[0] == "esptool --chip esp32 --port /dev/ttyUSB7 erase-flash"


def test_a_chip_is_not_erased_while_no_gateway_runs(
    image: str, port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*WORDS, "--micropython", image, "--port", port, "--yes"]) == 3
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "no gateway" in said


def test_a_port_that_is_none_is_named(
    tmp_path: Path, image: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes").write_text("x")
    for name, why in (("missing", "there is no port"), ("notes", "is no serial port")):
        assert run([*WORDS, "--micropython", image, "--port", str(tmp_path / name)]) == 1
        said = capsys.readouterr().err
        assert why in said
        assert said.count("\n") == 1
