"""What a broker that runs alone is told when it begins to serve: plain values, the key of broker.db among them."""

import json
import os
import stat
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from doorward.errors import StartupError


@dataclass(frozen=True, slots=True)
class Plan:
    """The names are those of the settings; `limits` holds those that were set."""

    directory: str
    base: str
    host: str
    port: int
    plain_port: int
    websocket_port: int
    websocket_origins: list[str]
    limits: dict[str, Any]
    key: str = field(repr=False)  # of broker.db, hex
    authority: str  # the certificate of the CA, PEM
    chain: str  # the file that has the server's certificate and its key
    renew_at: float  # when it is time for another, seconds since 1970
    serials: dict[str, int]  # of the certificates of who has one
    revoked: list[int]
    signer: (
        str | None
    )  # the socket of a signer that has the keys, and is asked instead of the two above
    lock: int  # the descriptor that keeps others out of the directory

    @property
    def files(self) -> Path:
        """The directory."""
        return Path(self.directory)


def hand_over(plan: Plan) -> int:
    """A descriptor for the program that this process becomes to `take` the plan from. Nothing of it is on a disk."""
    descriptor = os.memfd_create("plan")
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(json.dumps(asdict(plan)).encode())
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def take(descriptor: int) -> Plan:
    """The plan that `hand_over` left there; it can be taken once. Raises StartupError when there is none."""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError
        with os.fdopen(descriptor, "rb") as file:
            return Plan(**json.load(file))
    except (OSError, OverflowError, TypeError, ValueError) as error:
        raise StartupError(
            f"there is no plan at descriptor {descriptor}",
            "run `doorward broker run` without --prepared: it makes the plan itself",
        ) from error
