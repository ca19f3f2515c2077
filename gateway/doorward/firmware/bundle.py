"""A firmware as one file: a line with two lengths, the manifest, its signature, and the files in the manifest's order.

The same source and compiler give the same bytes, but for the signature. Whatever is not exactly as `pack` writes it is
refused, so there is one file for one firmware and no place to hide anything in.
"""

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from doorward.errors import InvalidInput
from doorward.firmware import ready
from doorward.firmware.manifest import EPOCH, FAMILY, MPY, manifest, version_of
from doorward.firmware.program import Called, shrunk

_HEAD = re.compile(rb"doorward firmware 1 ([1-9][0-9]{0,6}) (0|[1-9][0-9]{0,3})\n")
# What a board has room for, twice over.
_LONGEST = 4 << 20
# A board keeps it as one word of a line, and everybody sees it.
_VERSION = re.compile(r"[0-9A-Za-z._+-]{1,32}")


@dataclass(frozen=True, slots=True)
class Bundle:
    """One version of the firmware. `signature` is empty until somebody has signed.

    Raises InvalidInput for a version that no board can keep.
    """

    version: str
    epoch: int
    files: dict[str, bytes]
    signature: bytes = b""
    # What `explain` needs for tracebacks of it; known where it was compiled, and not part of the file.
    called: Called = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        """See the class."""
        _check_version(self.version)

    @property
    def manifest(self) -> bytes:
        """What is signed, and what a board checks everything else against."""
        return manifest(self.version, self.files, self.epoch)

    def signed(self, signature: bytes) -> Self:
        """The same with a signature."""
        return replace(self, signature=signature)

    def pack(self) -> bytes:
        """All of it as one file."""
        listed = self.manifest
        head = b"doorward firmware 1 %d %d\n" % (len(listed), len(self.signature))
        return b"".join([head, listed, self.signature, *dict(sorted(self.files.items())).values()])

    def is_signed_by(self, key: rsa.RSAPublicKey) -> bool:
        """Whether the holder of this key's other half has signed it."""
        try:
            key.verify(self.signature, self.manifest, padding.PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True


def is_version(text: str) -> bool:
    """Whether a board can keep this as the version that it runs."""
    return _VERSION.fullmatch(text) is not None


def unpack(data: bytes) -> Bundle:
    """Read a bundle; every digest is checked, the signature is not. Raises InvalidInput."""
    head = _HEAD.match(data) if len(data) <= _LONGEST else None
    if head is None:
        raise _no_bundle("it does not begin as one")
    begin = head.end() + int(head[1])
    listed, at = data[head.end() : begin], begin + int(head[2])
    signature = data[begin:at]
    try:
        said: Any = json.loads(listed)
        files = {}
        for path, size, _digest in said["files"]:
            files[path] = data[at : at + size]
            at += size
        found = Bundle(said["version"], said["epoch"], files, signature)
        whole = (said["family"], said["mpy"]) == (FAMILY, MPY) and found.pack() == data
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        whole = False
    if not whole:
        raise _no_bundle("its manifest and its files do not belong together")
    return found


def compiled(firmware: Path, epoch: int) -> Bundle:
    """Compile the firmware in a source folder. Raises InvalidInput, CompilerMissing."""
    try:
        version = version_of(firmware)
        _check_version(version)  # before the seconds that the compiler takes
        files, called = ready.compile_folder(firmware)
        return Bundle(version, epoch, files, called=called)
    except (OSError, ValueError) as error:
        raise InvalidInput(str(error), field="firmware") from error


def shipped(root: Path, epoch: int = EPOCH) -> Bundle:
    """The firmware that came with this doorward: as it was compiled for the package, else from the source tree.

    root: as `data.data_root` names it. Raises InvalidInput, CompilerMissing.
    """
    firmware = root / "firmware"
    files = ready.read(root)
    if files is None:
        return compiled(firmware, epoch)
    return Bundle(version_of(firmware), epoch, files, called=shrunk(firmware).called)


def _check_version(version: str) -> None:
    if not is_version(version):
        raise InvalidInput(
            f"{version[:40]!r} is no version of a firmware",
            "1 to 32 letters, digits, dots, dashes, plus signs and underscores are one",
            field="version",
        )


def _no_bundle(why: str) -> InvalidInput:
    return InvalidInput(
        f"this is no firmware bundle: {why}",
        "make one with `doorward firmware bundle`",
        field="file",
    )
