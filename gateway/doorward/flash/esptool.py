"""MicroPython onto a chip that has none, or an old one: esptool's commands, said or run. Nothing is downloaded."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from doorward.flash.errors import FlashError

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


def write(chip: str, port: str, file: Path) -> None:
    """Erase the chip and write MicroPython; esptool speaks for itself. Raises FlashError."""
    if importlib.util.find_spec("esptool") is not None:
        program = [sys.executable, "-m", "esptool"]
    elif shutil.which("esptool"):
        program = ["esptool"]
    else:
        raise FlashError(
            "esptool is not installed",
            f"{sys.executable} -m pip install esptool",
            field="micropython",
        )
    for words in commands(chip, port, str(file)):
        if subprocess.run([*program, *words[1:]], check=False).returncode:
            raise FlashError(
                f"`{' '.join(words)}` failed",
                "hold the board's BOOT button while it begins, and run the same again",
                field="micropython",
            )
