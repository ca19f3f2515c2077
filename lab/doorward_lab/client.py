"""A client of the control socket, for whoever is not the lab: a script, a test, a person.

By hand: `python -m doorward_lab.client --data DIR tap board=front card=member`.
"""

import argparse
import json
import socket
import sys
from pathlib import Path
from typing import Any

from doorward_lab.errors import LabError

_TIMEOUT_S = 15.0


class LabClient:
    """Asks one lab; every call is a connection of its own, so a lab may come and go.

    `call` returns the reply without "ok", and raises LabError with the lab's own words, or when no lab answers.
    """

    def __init__(self, path: Path | str, *, timeout: float = _TIMEOUT_S) -> None:
        """path: DIR/run/lab.sock; timeout in seconds for one call."""
        self._path = str(path)
        self._timeout = timeout

    def call(self, op: str, **fields: Any) -> dict[str, Any]:
        """Send one request and return its reply."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(self._timeout)
                connection.connect(self._path)
                connection.sendall(_request(op, fields))
                with connection.makefile("rb") as answers:
                    return self._reply(answers.readline())
        except OSError as error:
            raise self._unreachable(error) from None

    def _unreachable(self, error: OSError) -> LabError:
        reason = error.strerror or "no answer in time"
        return LabError(
            f"no lab answers at {self._path}: {reason}; start the demo, or python -m doorward_lab --data DIR"
        )

    def _reply(self, line: bytes) -> dict[str, Any]:
        if not line.endswith(b"\n"):
            raise LabError(f"the lab at {self._path} hung up; look at its output")
        reply: dict[str, Any] = json.loads(line)
        if not reply.pop("ok"):
            raise LabError(reply["error"])
        return reply


def _request(op: str, fields: dict[str, Any]) -> bytes:
    return json.dumps({"op": op, **fields}).encode() + b"\n"


def _value(text: str) -> Any:
    """Read true, false and numbers as JSON does, and leave alone what is digits, too: long UIDs, PINs from 0 on."""
    if text in {"true", "false"}:
        return text == "true"
    is_number = text.isdigit() and len(text) < 8 and (text == "0" or text[0] != "0")
    return int(text) if is_number else text


def main() -> int:
    """Send one request from the command line and print the reply as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m doorward_lab.client", description="Ask a running lab."
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="the directory the lab was started with"
    )
    parser.add_argument(
        "op",
        help="boards, cards, tap, contact, press, motion, key, jam, wifi, pwm, pull, faults, fault, edges, log, heap,"
        " reader, kill or stop",
    )
    parser.add_argument(
        "fields", nargs="*", metavar="NAME=VALUE", help="for example board=front card=member"
    )
    options = parser.parse_args()
    fields = {
        name: _value(value) for name, _, value in (field.partition("=") for field in options.fields)
    }
    try:
        print(json.dumps(LabClient(options.data / "run" / "lab.sock").call(options.op, **fields)))
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
