"""Adoption as an operator asks for it: a kind of board by its name, and the broker as boards can reach it."""

import ipaddress
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from doorward.adapters.boards import load_profile
from doorward.app.devices.desk import Adopted, AdoptionOrder, DeviceDesk
from doorward.app.devices.files import BrokerAddress
from doorward.config import ANY
from doorward.errors import InvalidInput
from doorward.machine import own_address

_HIGHEST_PORT = 65535
# Of two parts or more, the last one no number: what the board's own check of its config takes, too.
_PART = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?=.{{1,253}}$)({_PART}\.)+(?!\d+$){_PART}", re.IGNORECASE)


class Adoptions:
    """Fills in what an order leaves open."""

    def __init__(
        self,
        desk: DeviceDesk,
        boards: Path,
        listens: Callable[[], BrokerAddress],
        signatory: Callable[[], Awaitable[object]],
    ) -> None:
        """`boards` is the folder of profiles; `listens` says where our broker does.

        `signatory` is awaited first: a new board gets the public half of the key that signs firmware.
        """
        self._desk = desk
        self._boards = boards
        self._listens = listens
        self._signatory = signatory

    async def adopt(self, order: AdoptionOrder, *, actor: str) -> Adopted:
        """Adopt a board; see `DeviceDesk.adopt`. Raises NotFound for a profile that there is not."""
        profile = load_profile(self._boards, order.board)
        broker = broker_address(order.broker, self._listens())
        await self._signatory()
        return await self._desk.adopt(order.id, profile, broker, again=order.again, actor=actor)


def broker_address(told: str | None, listens: BrokerAddress) -> BrokerAddress:
    """Where boards are to find the broker: as told (`HOST` or `HOST:PORT`), else where it listens.

    Raises InvalidInput for what is neither an IPv4 address nor a whole name.
    """
    if told is None:
        return replace(listens, host=_own_address()) if listens.host == ANY else listens
    host, _, port = told.partition(":")
    if not _is_address(host) and not _NAME.fullmatch(host):
        raise InvalidInput(
            f"broker: {told!r} is no IPv4 address and no whole name",
            "give one like 192.168.1.5, 192.168.1.5:8883 or gateway.local",
            field="broker",
        )
    if not port:
        return replace(listens, host=host)
    if not (port.isascii() and port.isdecimal() and 0 < int(port) <= _HIGHEST_PORT):
        raise InvalidInput(f"broker: {port!r} is no port", "give 1 to 65535", field="broker")
    return replace(listens, host=host, port=int(port))


def _is_address(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


def _own_address() -> str:
    found = own_address()
    if found is None:
        raise InvalidInput(
            "broker: this machine is on no network",
            "say where boards find it with --broker",
            field="broker",
        )
    return found
