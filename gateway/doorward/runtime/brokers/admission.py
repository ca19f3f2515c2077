"""Who of the registry may connect to the broker, our own or another program."""

from collections.abc import Iterable, Mapping

from doorward.app.ports import Admission
from doorward.broker import Broker, Principals, Role
from doorward.broker.rights.acl import Acl
from doorward.domain import devices
from doorward.domain.devices import Registration
from doorward.errors import Conflict


class BrokerAdmission:
    """The application's `Admission`, at the embedded broker. Nothing of it is kept there: the registry is."""

    def __init__(self, broker: Broker, principals: Principals) -> None:
        self._broker = broker
        self._principals = principals

    def check_name(self, device: str) -> None:
        _check_name(self._broker.acl, device)

    async def admit(self, device: str, digest: bytes, *, waiting: bool) -> None:
        admit(self._principals, device, digest, waiting=waiting)

    async def expel(self, device: str) -> None:
        await self._broker.expel(device)

    async def enforce(self, device: str) -> None:
        """Nothing is left to do: this broker asks the signer about every certificate, and `expel` cut the line."""


class NamedAdmission:
    """The application's `Admission` at another program, with the names of boards known to our rules."""

    def __init__(self, acl: Acl, principals: Principals, inner: Admission) -> None:
        """`inner` tells the other program."""
        self._acl = acl
        self._principals = principals
        self._inner = inner

    def check_name(self, device: str) -> None:
        _check_name(self._acl, device)
        self._inner.check_name(device)

    async def admit(self, device: str, digest: bytes, *, waiting: bool) -> None:
        admit(self._principals, device, digest, waiting=waiting)
        await self._inner.admit(device, digest, waiting=waiting)

    async def expel(self, device: str) -> None:
        self._principals.remove(device)
        await self._inner.expel(device)

    async def enforce(self, device: str) -> None:
        await self._inner.enforce(device)


def admit(principals: Principals, device: str, digest: bytes, *, waiting: bool) -> None:
    """Let in one board."""
    role = Role.WAITING if waiting else Role.DEVICE
    principals.admit(device, digest, role, keep=False)


def admit_all(
    principals: Principals, known: Iterable[Registration], digests: Mapping[str, bytes]
) -> None:
    """Let in whoever may connect, before the broker starts: it forgets the sessions of all others."""
    for device in known:
        if device.state != devices.REVOKED and device.id in digests:
            waiting = device.state != devices.APPROVED
            admit(principals, device.id, digests[device.id], waiting=waiting)


def _check_name(acl: Acl, device: str) -> None:
    folded = device.casefold()
    for user in acl.users():
        if user.name.casefold() == folded:
            raise Conflict(
                f"{user.name} is a user of the broker",
                "give the board another id, or `doorward broker users remove` the user",
                field="id",
            )
