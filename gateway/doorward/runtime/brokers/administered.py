"""What of a broker can be administered, whichever program it is."""

from collections import Counter
from typing import Protocol

from doorward.broker.reports.log import BrokerLog
from doorward.broker.rights.acl import Acl


class Administered(Protocol):
    """What of a broker can be administered."""

    @property
    def acl(self) -> Acl: ...

    @property
    def log(self) -> BrokerLog: ...

    def connected(self) -> Counter[str] | None:
        """How many connections each principal has; None where nobody knows."""

    def numbers(self) -> dict[str, int]:
        """Counters by name."""


class Elsewhere(Protocol):
    """Another program that is the broker. `log`: what to do to see its log."""

    log: str

    async def check_new(self, name: str) -> None:
        """Raise Conflict when it has a user of this name that is none of ours, Unavailable when it is away."""

    async def tell(self, name: str | None = None, password: str | None = None) -> None:
        """Make it know what is kept here, and with `password` the one of this user. Raises Unavailable."""

    def needs_password(self, name: str) -> bool:
        """Whether it was never told the password of this user."""


class Here:
    """The broker is ours: it knows what is kept."""

    log = ""

    async def check_new(self, name: str) -> None: ...

    async def tell(self, name: str | None = None, password: str | None = None) -> None: ...

    def needs_password(self, name: str) -> bool:
        return False
