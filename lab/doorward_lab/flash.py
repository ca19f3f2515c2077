"""A board's flash: an image file with LittleFS on it, written by MicroPython's own LittleFS."""

import base64
import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doorward_lab import build, places, toolchain
from doorward_lab.errors import FirmwareError

FLASH_BYTES = 2 * 1024 * 1024  # the data partition of a 4 MB ESP32 under stock MicroPython


@dataclass(frozen=True, slots=True)
class Flash:
    """The flash of one board in the folder `home`, which only its owner can read (config.json holds keys)."""

    home: Path
    cache: Path

    @property
    def image(self) -> Path:
        """The image file, a sparse 2 MiB."""
        return self.home / "flash.img"

    def program(self, firmware: Path, profile: Mapping[str, Any]) -> int:
        """Put `firmware`, /config.json and /tls onto the image and return the bytes in use on it.

        profile: config.json, and in it "tls" with the files of that folder in Base64, by name, and "firmware_key", the
        same. Data files of the board stay; code and certificates that it has no longer are removed. Nothing is written
        when nothing has changed.
        Raises FirmwareError or MissingTool.
        """
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        staged = self.home / "staged"
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(mode=0o700)
        build.stage(firmware, staged, self.cache)
        config = dict(profile)
        for name, content in config.pop("tls", {}).items():
            (staged / "tls").mkdir(exist_ok=True)
            (staged / "tls" / name).write_bytes(base64.b64decode(content))
        signer = base64.b64decode(config.pop("firmware_key", ""))
        if signer:  # one that came over the network stays
            (staged / "firmware.key").write_bytes(signer)
        (staged / "config.json").write_text(json.dumps(config))
        digest = build.tree_digest(staged)
        stamp = self.home / "flashed"
        if self.image.exists() and stamp.exists():
            known, used = stamp.read_text().split()
            if known == digest:
                return int(used)
        stamp.unlink(missing_ok=True)
        used = str(self._write(staged))
        stamp.write_text(f"{digest} {used}\n")
        return int(used)

    def format(self) -> int:
        """Make an empty file system where there is no flash yet; return the bytes in use on it, 0 when there was one.

        From then on somebody else writes it, and `program` begins from what it finds. Raises FirmwareError.
        """
        (self.home / "flashed").unlink(missing_ok=True)
        if self.image.exists():
            return 0
        staged = self.home / "staged"
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True, mode=0o700)
        return self._write(staged)

    def give_log(self, kib: int) -> None:
        """Give the chip an erased partition "dwlog" of so many KiB; one that it has keeps what is in it."""
        partition = self.home / "dwlog.img"
        if kib and not partition.exists():
            partition.write_bytes(b"\xff" * (kib * 1024))

    def _write(self, staged: Path) -> int:
        if not self.image.exists():
            with self.image.open("wb") as file:
                file.truncate(FLASH_BYTES)
        rom = build.rom(places.shim(), self.cache)
        command = [*toolchain.interpreter_command(rom, "lab_flash"), str(self.image), str(staged)]
        done = subprocess.run(
            command, env={}, capture_output=True, text=True, timeout=60, check=False
        )
        words = done.stdout.split()
        if done.returncode or words[:1] != ["used"]:
            last = " ".join((done.stdout + done.stderr).split()[-20:])
            raise FirmwareError(
                f"{self.image} could not be written: {last}; delete it to start from an empty flash"
            )
        return int(words[1])
