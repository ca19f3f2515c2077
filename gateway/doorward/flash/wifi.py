"""The network that boards are given: asked for once, then kept for their owner's eyes alone."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from doorward import private_file
from doorward.flash.errors import FlashError

# IEEE 802.11: an SSID has up to 32 bytes, a WPA passphrase 8 to 63 characters; a network without one has none.
_SSID_BYTES = 32
_SHORTEST, _LONGEST = 8, 63


@dataclass(frozen=True, slots=True)
class Wifi:
    """A network. Raises FlashError for one that cannot be."""

    ssid: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        if not 0 < len(self.ssid.encode()) <= _SSID_BYTES:
            raise FlashError("a Wi-Fi name has 1 to 32 bytes", "see --wifi", field="wifi")
        if self.password and not _SHORTEST <= len(self.password) <= _LONGEST:
            raise FlashError(
                f"the password of {self.ssid} has {len(self.password)} characters; Wi-Fi has 8 to 63",
                "type it again, or leave it empty for an open network",
                field="wifi",
            )

    def as_config(self) -> dict[str, str]:
        """As the board's config.json has it."""
        return {"ssid": self.ssid, "password": self.password}


def kept(path: Path) -> Wifi | None:
    """The network that was kept in this file; None when there is none. Raises KeyFileError, FlashError."""
    if not path.exists():
        return None
    try:
        found = json.loads(private_file.read_key(path))
        return Wifi(str(found["ssid"]), str(found["password"]))
    except (ValueError, KeyError, TypeError):
        raise FlashError(f"{path} is damaged", "delete it; you are asked again") from None


def remembered(path: Path, told: Wifi | None, ask: Callable[[], Wifi]) -> Wifi:
    """The network that was told, else the one that was kept, else what `ask` says; it is kept from then on."""
    found = told or kept(path)
    if found is None:
        found = ask()
    if kept(path) != found:
        private_file.replace(path, json.dumps(found.as_config()).encode())
    return found
