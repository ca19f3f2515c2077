"""MicroPython onto a chip that has none, or an old one: esptool's commands, said or run. Nothing is downloaded."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from doorward.flash import process
from doorward.flash.errors import FlashError

# How a program for a chip begins, and the number of the chip in it (esptool's documentation, "firmware image format").
_MAGIC, _CHIP = 0xE9, slice(12, 14)
_CHIPS = {"esp32": 0, "esp32-c3": 5, "esp32-s3": 9}
# Where an image begins in the flash (esptool's documentation, "write-flash": the ROM's own boot loader differs).
_OFFSET = {"esp32": "0x1000", "esp32-s3": "0x0", "esp32-c3": "0x0"}
_FILE = {"esp32": "ESP32_GENERIC", "esp32-s3": "ESP32_GENERIC_S3", "esp32-c3": "ESP32_GENERIC_C3"}


def commands(chip: str, port: str, file: str | None = None) -> list[list[str]]:
    """The commands that erase a chip and write MicroPython; without a file, the name of the one to fetch."""
    way = ["esptool", "--chip", chip.replace("-", ""), "--port", port]
    name = file or f"{_FILE[chip]}-DATE-v1.28.0.bin"
    return [
        [*way, "erase-flash"],
        [*way, "--baud", "460800", "write-flash", _OFFSET[chip], name],
    ]


def page(chip: str) -> str:
    """Where the file is to be had."""
    return f"https://micropython.org/download/{_FILE[chip]}/"


def check(chip: str, file: Path) -> None:
    """Raise FlashError unless esptool is there, and the file is a program for this chip."""
    _program()
    try:
        with file.open("rb") as opened:
            head = opened.read(_CHIP.stop)
    except OSError as error:
        raise FlashError(
            f"{file} cannot be read ({error.strerror})", "check its name", field="micropython"
        ) from None
    if len(head) < _CHIP.stop or head[0] != _MAGIC:
        raise FlashError(
            f"{file} is no firmware for an ESP32",
            f"fetch one from {page(chip)}",
            field="micropython",
        )
    if int.from_bytes(head[_CHIP], "little") != _CHIPS[chip]:
        raise FlashError(
            f"{file} is for another chip than the {chip.upper()}",
            f"fetch one from {page(chip)}",
            field="micropython",
        )


def write(chip: str, port: str, file: Path) -> None:
    """Erase the chip and write MicroPython; esptool speaks for itself. Raises FlashError."""
    program = _program()
    for words in commands(chip, port, str(file)):
        # What it says is for people; what the command itself says may be read by a program.
        done = subprocess.run(
            [*program, *words[1:]], check=False, stdout=sys.stderr, env=process.environment()
        )
        if done.returncode:
            raise FlashError(
                f"`{' '.join(words)}` failed",
                "hold the board's BOOT button while it begins, and run the same again",
                field="micropython",
            )


def _program() -> list[str]:
    if importlib.util.find_spec("esptool") is not None:
        return [sys.executable, "-m", "esptool"]
    if shutil.which("esptool"):
        return ["esptool"]
    raise FlashError(
        "esptool is not installed", f"{sys.executable} -m pip install esptool", field="micropython"
    )
