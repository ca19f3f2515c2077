"""The manifest of a firmware: what a board checks each file against. Its form stands in doorward_node/install.py.

The same files give the same bytes: it is signed, and a board knows by them that it has this firmware already.
"""

import ast
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

# Raised when firmware before it must not be installed any more, not even with a valid signature.
EPOCH = 0
FAMILY = "esp32"
# The format of bytecode that MicroPython 1.19 and later load.
MPY = 6
# The folders of a slot; whatever else a firmware has stands beside the slots.
PACKAGES = ("doorward_core", "doorward_drivers", "doorward_node")


def manifest(version: str, files: Mapping[str, bytes], epoch: int = EPOCH) -> bytes:
    """Return the manifest of these .mpy files, by their path in the slot."""
    head = {
        "version": version,
        "epoch": epoch,
        "family": FAMILY,
        "mpy": MPY,
        "size": sum(map(len, files.values())),
    }
    rows = [
        _compact([path, len(content), hashlib.sha256(content).hexdigest()])
        for path, content in sorted(files.items())
    ]
    opening = _compact(head)[:-1] + ',"files":['
    return "\n".join([opening, ",\n".join(rows), "]}", ""]).encode()


def version_of(firmware: Path) -> str:
    """Return the version that the firmware in this source folder calls itself.

    Raises ValueError when it names none.
    """
    path = firmware / "doorward_node" / "__init__.py"
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="VERSION")], value=ast.Constant(value=str(found))):
                return found
    raise ValueError(f'{path} names no VERSION; write VERSION = "1.2.3" there')


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
