"""A chip is erased when everything else is right, and not before: not one byte reaches the port until then.

esptool is the real one, and speaks to a terminal.
"""

import os
import select
import threading
import tty
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flash_bench import NAME, options

from doorward.errors import DoorwardError
from doorward.flash import Job, turns

ESP32, ESP32_C3 = (
    bytes([0xE9, 4, 2, 32]) + bytes(8) + bytes([chip, 0]) + bytes(50) for chip in (0, 5)
)
SYNC = bytes([0xC0, 0x00, 0x08])  # how esptool's first word to a chip begins


class Known:
    """A gateway that knows these boards."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def boards(self) -> list[dict[str, Any]]:
        return [{"id": name, "state": "approved"} for name in self._names]

    def adopt(self, *_: object, **__: object) -> dict[str, Any]:
        raise AssertionError("nothing was written to the chip")


class Wire:
    """A port with a chip that never answers; it goes when somebody has said something."""

    def __init__(self) -> None:
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self._slave = slave
        self.heard = b""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while not self._ended.is_set():
            if select.select([self._master], [], [], 0.05)[0]:
                self.heard += os.read(self._master, 1024)
                if SYNC in self.heard:
                    break
        os.close(self._master)

    def all_heard(self) -> bytes:
        """What was said, now that nobody speaks any more."""
        self._ended.set()
        self._thread.join()
        return self.heard

    def close(self) -> None:
        self.all_heard()
        os.close(self._slave)


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.close()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "micropython.bin"
    path.write_bytes(ESP32)
    return path


Make = Callable[..., Job]


@pytest.fixture
def job(wire: Wire, image: Path, tmp_path: Path) -> Make:
    def make(*known: str, **changes: Any) -> Job:
        wanted = replace(options(tmp_path, "0"), micropython=image, **changes)
        return Job(wanted, wire.path, [], Known(*known), lambda _: None, lambda *_: None)

    return make


def test_when_all_is_right_esptool_begins(job: Make, wire: Wire) -> None:
    with pytest.raises(DoorwardError, match=r"erase-flash` failed; hold the board's BOOT button"):
        job().run()
    assert SYNC in wire.all_heard()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (ESP32_C3, r"for another chip than the ESP32; fetch one from https://micropython\.org/"),
        (b"<html>", "is no firmware for an ESP32"),
    ],
    ids=["another chip", "no firmware"],
)
def test_a_file_that_does_not_fit_erases_nothing(
    job: Make, wire: Wire, image: Path, content: bytes, why: str
) -> None:
    image.write_bytes(content)
    with pytest.raises(DoorwardError, match=why):
        job().run()
    assert wire.all_heard() == b""


def test_what_would_end_it_later_ends_it_before(job: Make, wire: Wire, tmp_path: Path) -> None:
    with pytest.raises(DoorwardError, match="a board cannot be called"):
        job(name="no name").run()
    with pytest.raises(DoorwardError, match="known already, and erasing a chip takes its keys"):
        job(NAME).run()
    with (
        turns.hold(tmp_path / "state", "other", wire.path),
        pytest.raises(DoorwardError, match="is being flashed by another run"),
    ):
        job().run()
    assert wire.all_heard() == b""


def test_whoever_says_no_keeps_what_is_on_it(job: Make, wire: Wire) -> None:
    class Not(Exception):
        pass

    def asked() -> None:
        raise Not

    with pytest.raises(Not):
        job(NAME, again=True).run(asked)
    assert wire.all_heard() == b""
