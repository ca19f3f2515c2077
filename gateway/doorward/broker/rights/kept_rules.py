"""Users and rules out of broker.db, where another program is the broker: the same ones, kept in the same way."""

from doorward.broker.identity.principals import Principals
from doorward.broker.keeping.journal import Journal
from doorward.broker.ports import Store
from doorward.broker.reports.log import BrokerLog
from doorward.broker.rights.acl import Acl
from doorward.broker.rights.policy import Policy


class KeptRules:
    """What can be administered without a broker of ours. Sessions and messages in the file stay as they are."""

    def __init__(self, store: Store, principals: Principals, policy: Policy) -> None:
        """Let in before `start` whoever is no user: a name belongs to one of them alone."""
        self._store = store
        self._journal = Journal(store, lambda: None)
        self.log = BrokerLog()
        self.acl = Acl(principals, policy, self._journal)

    def start(self) -> None:
        """Read them. Owns the store from now on."""
        kept = self._store.load()
        self.acl.restore(kept)
        self.log.restore(kept.log)
        # Its lines are few, changes alone: each goes to the disk with what it tells of.
        self.log.listeners.append(lambda _entry: self._journal.log(self.log.take()))
        self._store.start()
        self._journal.start(max((message.row for message in kept.messages), default=0))

    async def stop(self) -> None:
        """Write what is left, and close the store."""
        self._journal.retry()
        await self._journal.drain()
        await self._store.close()

    def connected(self) -> None:
        """Who is connected, the other program alone knows."""

    def numbers(self) -> dict[str, int]:
        """So with every counter."""
        return {}
