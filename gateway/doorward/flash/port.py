"""Which USB port the board is at, and whether it can be used."""

import getpass
import grp
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from doorward.flash.errors import FlashError


def find(wanted: str | None) -> str:
    """Return the port to use: the one that was said, else the only one that there is. Raises FlashError."""
    port = wanted if wanted is not None else _only(attached())
    check(port)
    return port


def attached() -> list[tuple[str, str]]:
    """The serial ports that are USB devices: name, and what they call themselves. Raises FlashError."""
    try:
        from serial.tools import list_ports  # noqa: PLC0415 - comes with the tools, which only flashing needs
    except ImportError:
        raise FlashError(
            "the tools for USB are not installed", "run ./flash.sh, or install doorward[flash]"
        ) from None
    found = [port for port in list_ports.comports() if port.vid is not None]
    return sorted((port.device, port.description or "") for port in found)


def _only(ports: list[tuple[str, str]]) -> str:
    if not ports:
        raise FlashError(
            "no board is plugged in",
            "plug one in; some cables only charge, and some boards need the driver of their USB chip (CP210x, CH340)",
            field="port",
        )
    if len(ports) > 1:
        names = ", ".join(f"{name} ({what})" if what else name for name, what in ports)
        raise FlashError(
            f"{len(ports)} boards are plugged in: {names}",
            f"say which with --port, like --port {ports[0][0]}",
            field="port",
        )
    return ports[0][0]


def check(port: str) -> None:
    """Raise FlashError unless the port is there, is ours to use, and nobody else does."""
    try:
        mode = Path(port).stat()
    except OSError:
        known = ", ".join(name for name, _ in attached()) or "none"
        raise FlashError(
            f"there is no port {port}", f"plug the board in; ports now: {known}", field="port"
        ) from None
    if not stat.S_ISCHR(mode.st_mode):
        raise FlashError(f"{port} is no serial port", "give one like /dev/ttyUSB0", field="port")
    if not os.access(port, os.R_OK | os.W_OK):
        group = _group(mode.st_gid)
        raise FlashError(
            f"{port} may only be used by the group {group}",
            f"run `sudo usermod -aG {group} {getpass.getuser()}`, sign out and in again",
            field="port",
        )
    holders = ", ".join(f"{name} (process {pid})" for pid, name in holding(mode.st_rdev))
    if holders:
        raise FlashError(f"{port} is in use by {holders}", "end that first", field="port")


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def holding(device: int) -> Iterator[tuple[int, str]]:
    """The processes that have this character device open, as far as we may see. Linux; elsewhere nobody is found.

    Asked so, and not by opening the port: on many boards that is a reset.
    """
    for folder in Path("/proc").glob("[0-9]*"):
        if folder.name == str(os.getpid()):
            continue
        if any(_is(path, device) for path in _open_files(folder)):
            try:
                name = (folder / "comm").read_text().strip()
            except OSError:
                name = "another program"
            yield int(folder.name), name


def _open_files(folder: Path) -> Iterable[Path]:
    try:
        return list((folder / "fd").iterdir())
    except OSError:  # somebody else's, or gone
        return ()


def _is(path: Path, device: int) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == device
