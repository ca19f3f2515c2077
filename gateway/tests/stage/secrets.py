"""A board that was enrolled before there were certificates: it has its secrets, and comes over the plain listener."""

from pathlib import Path
from typing import NamedTuple

from doorward.signer import enrolment


class Enrolment(NamedTuple):
    device: str
    secret: str
    key: str
    epoch: int = 1


def enrol(directory: Path, device: str) -> Enrolment:
    """Make the key file that a signer of `directory` will read when it starts; returns what the board knows."""
    kept, secret = enrolment.new(device)
    enrolment.replace(directory, kept)
    return Enrolment(device, secret, kept.key, kept.epoch)
