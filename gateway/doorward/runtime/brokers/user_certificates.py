"""The certificates of the broker's users, as its desk gives them out and takes them back."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from doorward.app.signer_ports import Registrar
from doorward.app.trust import UserIdentity
from doorward.errors import Conflict


class UserCertificates(Protocol):
    """Gives certificates to users, and takes them back."""

    async def issue(self, name: str) -> UserIdentity:
        """A new one; an older one is void. Raises Conflict where nobody could use it, and SigningUnavailable."""

    async def forget(self, name: str) -> bool:
        """Take it back; False when there was none. Raises SigningUnavailable."""

    async def held(self, names: Sequence[str]) -> dict[str, int]:
        """The serials of those of them who have one. Raises SigningUnavailable."""


class SignedCertificates:
    """Those that the site's signer makes."""

    def __init__(self, registrar: Registrar) -> None:
        self._registrar = registrar

    async def issue(self, name: str) -> UserIdentity:
        return await asyncio.to_thread(self._registrar.certify_user, name)

    async def forget(self, name: str) -> bool:
        if await asyncio.to_thread(self._registrar.serial, name) is None:
            return False
        await asyncio.to_thread(self._registrar.forget_user, name)
        return True

    async def held(self, names: Sequence[str]) -> dict[str, int]:
        return await asyncio.to_thread(self._serials, names)

    def _serials(self, names: Sequence[str]) -> dict[str, int]:
        found = ((name, self._registrar.serial(name)) for name in names)
        return {name: serial for name, serial in found if serial is not None}


class NoMoreCertificates:
    """For Mosquitto, which takes a certificate in the place of a password: there are none but those from before."""

    def __init__(self, before: UserCertificates) -> None:
        self._before = before

    async def issue(self, name: str) -> UserIdentity:
        raise Conflict(
            f"Mosquitto would let {name} in by its certificate without a password",
            "connect over its WebSocket listener, by name and password",
        )

    async def forget(self, name: str) -> bool:
        return await self._before.forget(name)

    async def held(self, names: Sequence[str]) -> dict[str, int]:
        return await self._before.held(names)


class NobodysCertificates:
    """For a broker that asks no client for a certificate."""

    async def issue(self, name: str) -> UserIdentity:
        raise Conflict(
            "this broker asks nobody for a certificate",
            f"connect as {name} with the password; each of its ports takes it",
        )

    async def forget(self, name: str) -> bool:
        return False

    async def held(self, names: Sequence[str]) -> dict[str, int]:
        return {}
