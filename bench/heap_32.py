"""What the firmware's code weighs on a 32-bit MicroPython, as real boards have it: the WebAssembly port, in Node.

Fetched with npm, in one version and with one content. It has no sockets and no pins, so nothing runs there; loading is
what it measures. Modules of the chip are bare names and are not counted.
"""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

_PACKAGE = "@micropython/micropython-webassembly-pyscript@1.26.0"
_SHA512 = (
    "e3cad077de3bce7eb12b341aa59f2e37224f34d9e75fdd8c9adb0548600397be"
    "795fa65730d04704914aeda56391413e9a9dfc47b0a71d01d1ad9fa0711acb44"
)
_SCRIPT = Path(__file__).with_name("heap_32.mjs")
_TIMEOUT_S = 120


def loaded_bytes(staged: Path, modules: Sequence[str]) -> int | None:
    """Return the heap that these modules of a staged firmware take; None, and why on stderr, if that cannot be told."""
    with tempfile.TemporaryDirectory() as directory:
        try:
            library = _fetched(Path(directory))
            return int(_run("node", str(_SCRIPT), str(library), str(staged), *modules))
        except FileNotFoundError as error:
            reason = f"{error.filename} is not installed"
        except subprocess.SubprocessError as error:
            reason = (getattr(error, "stderr", "") or str(error)).strip()[-400:]
        except ValueError as error:
            reason = str(error)
    print(f"bench: no 32-bit figure: {reason}", file=sys.stderr)
    return None


def _fetched(directory: Path) -> Path:
    """Return the library's entry, in `directory`. Raises ValueError when the archive is not the one we know."""
    _run("npm", "pack", "--silent", "--pack-destination", str(directory), _PACKAGE)
    (archive,) = directory.glob("*.tgz")
    if hashlib.sha512(archive.read_bytes()).hexdigest() != _SHA512:
        raise ValueError(f"{_PACKAGE} is not what it was; look at it before you pin another")
    with tarfile.open(archive) as content:
        content.extractall(directory, filter="data")
    return directory / "package" / "micropython.mjs"


def _run(*command: str) -> str:
    return subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=_TIMEOUT_S
    ).stdout
