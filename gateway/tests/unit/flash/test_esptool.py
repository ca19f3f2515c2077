"""esptool's commands, which nothing here runs."""

import pytest

from doorward.flash import esptool


@pytest.mark.parametrize(
    ("chip", "named", "offset"),
    [("esp32", "esp32", "0x1000"), ("esp32-s3", "esp32s3", "0x0"), ("esp32-c3", "esp32c3", "0x0")],
)
def test_the_commands_are_exact(chip: str, named: str, offset: str) -> None:
    erase, write = esptool.commands(chip, "/dev/ttyUSB0", "mp.bin")
    way = ["esptool", "--chip", named, "--port", "/dev/ttyUSB0"]
    assert erase == [*way, "erase-flash"]
    assert write == [*way, "--baud", "460800", "write-flash", offset, "mp.bin"]
    assert esptool.commands(chip, "p")[1][-1].startswith("ESP32_GENERIC")
