"""The Mosquitto that this machine has."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from doorward.errors import StartupError

_PLUGIN = "mosquitto_dynamic_security.so"
_PLACES = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/lib")
_INSTALL = "install it: apt-get install mosquitto"
_OLDEST = (2, 0, 11)  # the first with a dynamic-security plugin that we have measured
_ASK_S = 10.0


@dataclass(frozen=True, slots=True)
class Installed:
    """A program with its plugin. `websockets`: whether it was built to speak MQTT over WebSocket."""

    program: Path
    plugin: Path
    version: str
    websockets: bool


def find() -> Installed:
    """Look for them. Raises StartupError, and says what to install."""
    found = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    found = found or shutil.which("mosquitto")
    if found is None:
        raise StartupError("this machine has no mosquitto", _INSTALL)
    program = Path(found).resolve()
    said = subprocess.run(
        [program, "-h"], capture_output=True, text=True, timeout=_ASK_S, check=False
    ).stdout
    version = re.search(r"version (\d+)\.(\d+)\.(\d+)", said)
    if version is None:
        raise StartupError(f"{program} does not say which version it is", _INSTALL)
    number = tuple(int(part) for part in version.groups())
    if number < _OLDEST:
        raise StartupError(f"{program} is of version {version[0]}", "use 2.0.11 or a newer one")
    websockets = b"listeners__add_websockets" in program.read_bytes()
    return Installed(program, _plugin(), ".".join(version.groups()), websockets)


def _plugin() -> Path:
    """Where the plugin lies: under the machine's architecture, as x86_64-linux-gnu or aarch64-linux-gnu."""
    for place in _PLACES:
        for path in (Path(place) / _PLUGIN, *sorted(Path(place).glob(f"*/{_PLUGIN}"))):
            if path.exists():
                return path
    raise StartupError("mosquitto is here without its dynamic-security plugin", _INSTALL)
