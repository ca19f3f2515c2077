"""What a client's certificate has to do with what it says of itself."""

import asyncio
from collections.abc import Collection, Mapping
from typing import NamedTuple

from doorward.broker.identity.ports import Certificates
from doorward.broker.identity.principals import Principal, Role

NEEDS_TLS = "it has a certificate, so it has to come over TLS with it"
REVOKED = "its certificate is revoked"
REPLACED = "its certificate is not the one that it was given last"


class Shown(NamedTuple):
    """A certificate that a client has proved to be its own, and that our CA has signed."""

    name: str | None  # the CN, None when there is not exactly one
    serial: int


class NoCertificates:
    """For a broker whose clients have none."""

    def serial(self, name: str) -> int | None:
        """Nobody has one."""
        return None

    def is_revoked(self, serial: int) -> bool:
        """Whatever it is, nobody here gave it out."""
        return True


class Listed:
    """For a broker to which somebody has said who has which."""

    def __init__(self, serials: Mapping[str, int], revoked: Collection[int]) -> None:
        """By name, and those that were taken back."""
        self._serials = serials
        self._revoked = revoked

    def serial(self, name: str) -> int | None:
        """None for one that has none, and may come without."""
        return self._serials.get(name)

    def is_revoked(self, serial: int) -> bool:
        """True for a certificate that was taken back."""
        return serial in self._revoked


def shown_by(transport: asyncio.BaseTransport) -> Shown | None:
    """What the client at the other end of a TLS connection has shown; None without TLS."""
    certificate = transport.get_extra_info("peercert")
    if not certificate:
        return None
    names = [value for part in certificate["subject"] for key, value in part if key == "commonName"]
    return Shown(names[0] if len(names) == 1 else None, int(certificate["serialNumber"], 16))


def refuses(principal: Principal, shown: Shown | None, certificates: Certificates) -> str | None:
    """The rule that keeps a principal out whose secret fits: with another's certificate it may be stolen."""
    if shown is None:
        return None if certificates.serial(principal.name) is None else NEEDS_TLS
    if shown.name != principal.name:
        return f"its certificate is for {shown.name!r}"
    if certificates.is_revoked(shown.serial):
        return REVOKED
    # A name is free again when its user goes, so who has it now is not who its old certificate was made for.
    if principal.role is Role.USER and certificates.serial(principal.name) != shown.serial:
        return REPLACED
    return None
