"""Where test.sh has put umqtt.simple, the MQTT client that boards come with."""

import os
import sys
from pathlib import Path

import pytest


def folder() -> Path:
    """To be on MicroPython's path. Skips the test when it is not there, except in CI."""
    found = Path(sys.prefix) / "umqtt"
    if not (found / "umqtt" / "simple.py").is_file():
        why = f"umqtt.simple is not in {found}; ./test.sh --setup fetches it, and needs the network"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    return found
