"""What bench/broker.py asks of its load, and the process that does it."""

import json
import subprocess
import sys
from typing import Any

from broker_client import Broken
from brokers import HERE, Served

from doorward_core import topics

WINDOW = 50
_PATIENCE_S = 120
_SOME = 50


def order(served: Served, what: str, **more: Any) -> dict[str, Any]:
    """What the load is to do: a device speaks, the gateway listens, both within their rights."""
    (gateway, secret), (device, device_secret) = list(served.secrets.items())[:2]
    return {
        "what": what,
        "port": served.port,
        "pid": served.pid,
        "subscriber": (gateway, secret),
        "publisher": (device, device_secret),
        "topic": topics.device_topic(topics.BASE, device, topics.EVENTS),
        "filter": topics.device_topic(topics.BASE, "+", topics.EVENTS),
        "answers": topics.device_topic(topics.BASE, device, topics.CONTROL),
        "window": WINDOW,
        **more,
    }


def crowd(served: Served, count: int, *, stay: bool, tls: str = "") -> dict[str, Any]:
    """So many devices connect and subscribe, at once or, to `stay`, some at a time.

    With `tls` they come over TLS, with the certificates in that folder.
    """
    return {
        "what": "crowd",
        "port": served.secure_port if tls else served.port,
        "members": served.members(count),
        "certificates": tls,
        "stay": stay,
        "at_once": _SOME if stay else count,
    }


class Load:
    """One run of bench/broker_load.py."""

    def __init__(self, task: dict[str, Any]) -> None:
        """Start it. Secrets go over its stdin, never into its arguments."""
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "broker_load.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()

    def wait_until_there(self) -> None:
        """Return when a crowd that stays has come."""
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "there\n":
            raise Broken("the crowd could not come")

    def result(self) -> dict[str, Any]:
        """What it found; who stays leaves. Raises Broken when the broker did what it must not."""
        said, _ = self._process.communicate("\n", _PATIENCE_S)
        if self._process.returncode:
            raise Broken("the load failed")
        found: dict[str, Any] = json.loads(said)
        return found
