"""QoS 2 towards a client: nothing goes out before the disk knows of it."""

from doorward.broker.journal import Journal
from doorward.broker.ports import Link


class Gate:
    """Sends packets to one connection after the commit, in order.

    A QoS 2 message that went out before its row was on disk would be forgotten by a broker that is killed now: its
    publisher sends it again, and the client, which knows the old packet id, takes it twice or takes another for it.
    """

    __slots__ = ("_journal", "_link", "size")

    def __init__(self, journal: Journal, link: Link) -> None:
        """Nothing waits yet."""
        self._journal = journal
        self._link = link
        self.size = 0  # bytes that wait

    @property
    def gone(self) -> bool:
        """True when the connection is closed."""
        return self._link.gone

    def send(self, packet: bytes) -> None:
        """Send `packet` when everything noted so far is on disk."""
        self.size += len(packet)
        self._journal.acknowledge(self, packet)

    def acknowledge(self, packet: bytes) -> None:
        """It is on disk. A connection that is gone meanwhile sends nothing."""
        self.size -= len(packet)
        self._link.send(packet)
