"""QoS 2 towards a client: nothing goes out before the disk knows of it."""

from collections import deque

from doorward.broker.keeping.journal import Journal
from doorward.broker.ports import Link
from doorward_core import mqtt, mqtt_stream


class Gate:
    """Sends packets to one connection after the commit, in order.

    A QoS 2 message that went out before its row was on disk would be forgotten by a broker that is killed now: its
    publisher sends it again, and the client, which knows the old packet id, takes it twice or takes another for it.
    """

    __slots__ = ("_batch", "_groups", "_journal", "_link", "_withdrawn", "size")

    def __init__(self, journal: Journal, link: Link) -> None:
        """Nothing waits yet."""
        self._journal = journal
        self._link = link
        self._groups: deque[list[bytes]] = deque()  # what waits for the same commit
        self._batch = -1  # the journal's, for which the last group waits
        self._withdrawn: set[int] = set()
        self.size = 0  # bytes that wait

    @property
    def gone(self) -> bool:
        """True when the connection is closed."""
        return self._link.gone

    def send(self, packet: bytes) -> None:
        """Send `packet` when everything noted so far is on disk."""
        self.size += len(packet)
        if self._batch != self._journal.batch:
            self._batch = self._journal.batch
            self._groups.append([])
            self._journal.confirm(self, pressing=True)
        self._groups[-1].append(packet)

    def withdraw(self, packet_id: int) -> None:
        """If the message of this id waits here the client is not to have it any more: it is released instead."""
        if self.size:
            self._withdrawn.add(packet_id)

    def committed(self) -> None:
        """The causes of the first group are on disk. A connection that is gone meanwhile sends nothing."""
        packets = self._groups.popleft()
        self.size -= sum(map(len, packets))
        if self._withdrawn:
            packets = list(map(self._without, packets))
        self._link.send_all(packets)

    def _without(self, packet: bytes) -> bytes:
        ((kind, flags, body),) = mqtt_stream.Decoder(len(packet)).feed(packet)
        if kind != mqtt.PUBLISH:
            return packet
        _, packet_id, _ = mqtt.parse_publish(flags, body)
        if packet_id not in self._withdrawn:
            return packet
        self._withdrawn.discard(packet_id)
        return mqtt.ack(mqtt.PUBREL, packet_id)
