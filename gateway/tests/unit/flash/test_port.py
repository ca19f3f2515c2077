"""Which port, and every reason why it cannot be used."""

import os
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorward.flash import port
from doorward.flash.errors import FlashError

ONE = [("/dev/ttyUSB0", "CP2102")]
TWO = [*ONE, ("/dev/ttyACM0", "")]


@pytest.fixture
def terminal() -> Iterator[str]:
    master, slave = os.openpty()
    tty.setraw(slave)
    name = os.ttyname(slave)
    os.close(slave)
    yield name
    os.close(master)


def said(error: pytest.ExceptionInfo[FlashError]) -> str:
    assert error.value.field == "port"
    assert "\n" not in error.value.message
    return error.value.message


def test_one_board_is_taken_and_several_are_named() -> None:
    assert port._only(ONE) == "/dev/ttyUSB0"
    with pytest.raises(FlashError) as error:
        port._only(TWO)
    assert "2 boards are plugged in: /dev/ttyUSB0 (CP2102), /dev/ttyACM0" in said(error)
    assert "--port /dev/ttyUSB0" in error.value.remedy
    with pytest.raises(FlashError) as error:
        port._only([])
    assert "no board is plugged in" in said(error)


def test_a_port_that_is_free_is_taken(terminal: str, tmp_path: Path) -> None:
    link = tmp_path / "board"
    link.symlink_to(terminal)
    assert port.find(str(link)) == str(link)


def test_what_is_no_port(tmp_path: Path) -> None:
    with pytest.raises(FlashError) as error:
        port.check(str(tmp_path / "none"))
    assert "there is no port" in said(error)
    (tmp_path / "file").write_text("")
    with pytest.raises(FlashError) as error:
        port.check(str(tmp_path / "file"))
    assert "is no serial port" in said(error)


def test_a_port_in_use_names_who_uses_it(terminal: str) -> None:
    child = os.fork()
    if child == 0:  # another process that has it open
        os.open(terminal, os.O_RDWR | os.O_NOCTTY)
        os.kill(os.getpid(), 19)  # until it is killed
    try:
        os.waitpid(child, os.WUNTRACED)
        with pytest.raises(FlashError) as error:
            port.check(terminal)
        assert f"(process {child})" in said(error)
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    port.check(terminal)


def test_a_port_of_a_group_names_the_group(terminal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may use any port; so the kernel's answer is what is replaced, and nothing else.
    monkeypatch.setattr(os, "access", lambda *_: False)
    group = Path(terminal).group()
    with pytest.raises(FlashError) as error:
        port.check(terminal)
    assert f"may only be used by the group {group}" in said(error)
    assert f"sudo usermod -aG {group} " in error.value.remedy
