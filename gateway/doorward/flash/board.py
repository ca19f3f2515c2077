"""What a board said of itself, and whether this profile can go onto it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from doorward.flash.errors import FlashError

# What the virtual boards run in every test.
OLDEST = (1, 28)
_CHIPS = {"ESP32": "esp32", "ESP32S3": "esp32-s3", "ESP32C3": "esp32-c3"}
_RELEASE = re.compile(r"(\d+)\.(\d+)")
_MACHINE = re.compile(r"\bwith (ESP32\w*)")


@dataclass(frozen=True, slots=True)
class Facts:
    """A board before it is flashed. Digests are SHA-256 in hex, None without the file.

    slot: the words of /slot; root: what lies beside the slots.
    """

    release: str
    machine: str
    free: int
    slot: tuple[str, ...]
    config: dict[str, Any]
    manifest: str | None
    boot: str | None
    main: str | None
    has_keys: bool
    root: frozenset[str] = frozenset()

    @property
    def name(self) -> str | None:
        """Who it is, None for a board without a name."""
        found = self.config.get("id")
        return found if isinstance(found, str) else None

    @property
    def chip(self) -> str | None:
        """Its chip as profiles call it, None for one that there are no profiles for."""
        found = _MACHINE.search(self.machine)
        return _CHIPS.get(found[1]) if found else None


def facts(said: dict[str, Any]) -> Facts:
    """Read the report of scripts.PROBE. Raises FlashError for one that is none."""
    try:
        return Facts(
            str(said["release"]),
            str(said["machine"]),
            int(said["free"]),
            tuple(map(str, said["slot"])),
            dict(said["config"] or {}),
            said["manifest"],
            said["boot"],
            said["main"],
            all(said["tls"]),
            frozenset(map(str, said.get("root", ()))),
        )
    except (KeyError, TypeError, ValueError):
        raise FlashError(
            "the board's answer makes no sense", "press its reset button and run the same again"
        ) from None


def check(found: Facts, board: str, chip: str, boards: Sequence[str]) -> None:
    """Raise FlashError unless its MicroPython is new enough and its chip is the one the profile `board` is for."""
    release = _RELEASE.match(found.release)
    if release is None or (int(release[1]), int(release[2])) < OLDEST:
        raise FlashError(
            f"the board has MicroPython {found.release}, which is too old",
            f"it needs {OLDEST[0]}.{OLDEST[1]} or newer: erase it and put that on it (--micropython FILE.bin)",
            field="port",
        )
    if found.chip is None:
        raise FlashError(
            f"the board calls itself {found.machine!r}, and there is no profile for that chip",
            f"use one of: {', '.join(_CHIPS)}",
            field="board",
        )
    if found.chip != chip:
        role = board.removesuffix(f"-{chip}")
        fitting = f"{role}-{found.chip}"
        remedy = f"use --board {fitting}" if fitting in boards else "see `doorward board list`"
        raise FlashError(
            f"the board has an {found.chip.upper()}, and {board} is for an {chip.upper()}",
            remedy,
            field="board",
        )
