"""A broker that is only administered: real users, rules and log, nobody connected, nothing on disk."""

from collections import Counter

from doorward.broker import Policy, Principals
from doorward.broker.keeping.journal import Journal
from doorward.broker.ports import Batch, Entry, Kept
from doorward.broker.reports.log import BrokerLog
from doorward.broker.rights.acl import Acl
from doorward.broker.rights.shipped import SHIPPED
from doorward.runtime.brokers.administered import Elsewhere
from doorward.runtime.brokers.desk import BrokerDesk


class NoStore:
    """Keeps nothing: its journal is never started."""

    left_out = 0
    lost = 0

    def load(self) -> Kept:
        raise NotImplementedError

    def start(self) -> None: ...

    def write(self, batch: Batch, done: object) -> None: ...

    def read_log(self, *_: object) -> list[Entry]:
        return []

    async def close(self) -> None: ...


class QuickPasswords:
    """Hashes at once, for tests that do not test hashing."""

    async def hash(self, password: str) -> str:
        return f"hash of {password}"

    async def verify(self, hashed: str, password: str) -> bool:
        return hashed == f"hash of {password}"


class FakeBroker:
    """What a broker shows to whoever administers it."""

    def __init__(self) -> None:
        self.principals = Principals()
        self.principals.admit("front", bytes(32))
        self.policy = Policy("doorward")
        self.acl = Acl(self.principals, self.policy, Journal(NoStore(), lambda: None))
        rules = {rule.key: (rule.publish, rule.subscribe) for rule in SHIPPED}
        self.acl.restore(Kept({}, {}, [], [], {}, rules=rules))
        self.log = BrokerLog()
        self.connections: Counter[str] = Counter()

    def connected(self) -> Counter[str]:
        return self.connections

    def numbers(self) -> dict[str, int]:
        return {"connections": self.connections.total(), "sessions": 2, "denied": 3}

    def desk(self, elsewhere: Elsewhere | None = None) -> BrokerDesk:
        return BrokerDesk(
            self,
            NoStore(),
            QuickPasswords(),
            built_in=self.policy.built_in,
            elsewhere=elsewhere,
        )


class Away:
    """Another program that is the broker, and was told nothing yet."""

    log = "look there"

    async def check_new(self, name: str) -> None: ...

    async def tell(self, name: str | None = None, password: str | None = None) -> None: ...

    def needs_password(self, name: str) -> bool:
        return True
