"""Who of the registry may connect to our own broker."""

from collections.abc import Iterable, Mapping

from doorward.broker import Broker, Principals, Role
from doorward.domain import devices
from doorward.domain.devices import Registration
from doorward.errors import Conflict


class BrokerAdmission:
    """The application's `Admission`, at the embedded broker. Nothing of it is kept there: the registry is."""

    def __init__(self, broker: Broker, principals: Principals) -> None:
        self._broker = broker
        self._principals = principals

    def check_name(self, device: str) -> None:
        folded = device.casefold()
        for user in self._broker.acl.users():
            if user.name.casefold() == folded:
                raise Conflict(
                    f"{user.name} is a user of the broker",
                    "give the board another id, or `doorward broker users remove` the user",
                    field="id",
                )

    async def admit(self, device: str, digest: bytes, *, waiting: bool) -> None:
        self._admit(device, digest, waiting=waiting)

    def _admit(self, device: str, digest: bytes, *, waiting: bool) -> None:
        role = Role.WAITING if waiting else Role.DEVICE
        self._principals.admit(device, digest, role, keep=False)

    def admit_all(self, known: Iterable[Registration], digests: Mapping[str, bytes]) -> None:
        """Let in whoever may connect, before the broker starts: it forgets the sessions of all others."""
        for device in known:
            if device.state != devices.REVOKED and device.id in digests:
                waiting = device.state != devices.APPROVED
                self._admit(device.id, digests[device.id], waiting=waiting)

    async def expel(self, device: str) -> None:
        await self._broker.expel(device)

    async def enforce(self, device: str) -> None:
        """Nothing is left to do: this broker asks the signer about every certificate, and `expel` cut the line."""
