"""A broker with users who come with a password, as a school has them."""

import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from broker_support import Client, RunningBroker, running_broker

from doorward.adapters.passwords import Argon2Passwords
from doorward.broker.identity.logins import PasswordLogins
from doorward.broker.rights.rules import Rule

PASSWORD = "correct horse battery"
SCHOOL = Rule("user:teacher1", "allow", True, True, "school/#")
ROOM = "school/room1/lesson"


@contextlib.asynccontextmanager
async def school(folder: Path, **users: list[str]) -> AsyncIterator[RunningBroker]:
    """A broker with these users: name -> roles. All have the one password."""
    passwords = Argon2Passwords()
    hashed = await passwords.hash(PASSWORD)
    async with running_broker(
        folder, logins=lambda principals: PasswordLogins(principals, passwords, time.monotonic)
    ) as site:
        for name, roles in users.items():
            site.broker.acl.add_user(name, hashed, roles)
        await site.broker.acl.settle()
        yield site
    passwords.close()


def user(
    site: RunningBroker, name: str, client_id: str | None = None, **options: Any
) -> AbstractAsyncContextManager[Client]:
    return site.client(name, client_id=client_id or name, password=PASSWORD, **options)


def payloads(messages: Iterable[Any]) -> list[bytes]:
    return [one.payload for one in messages]
