"""The half of a connection that writes."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence

from doorward.broker.connections.exchange import Exchange

HIGH_WATER = 65_536  # bytes written and not yet taken by the kernel: from here on QoS 1 waits and QoS 0 is dropped


class Outgoing(asyncio.Protocol, ABC):
    """Collects what one client is to receive, until `Exchange.flush` has it written with one call."""

    def __init__(self, exchange: Exchange) -> None:
        """Nothing is collected. The transport comes with `connection_made`."""
        self.exchange = exchange
        self._transport: asyncio.Transport
        self._sent = exchange.counters.sent
        self._out: list[bytes] = []
        self._out_size = 0
        self._congested = False
        self._ended = False
        self.ready = True
        """False while enough is written for now; the session is resumed after the write."""

    @abstractmethod
    def end(self, reason: str, *, will: bool = True) -> None:
        """Close the connection now."""

    @abstractmethod
    def _resume(self) -> None:
        """There is room again for what waits."""

    @property
    def gone(self) -> bool:
        """True once it is closed, or about to be."""
        return self._ended

    @property
    def congested(self) -> bool:
        """True while the client reads slower than we write, or one event has made a heap for it."""
        return self._congested or self._out_size * 2 > self.exchange.limits.unread

    def send(self, packet: bytes) -> None:
        """Add a packet to what the next flush writes."""
        if self._ended:
            return
        out = self._out
        if not out:
            self.exchange.unwritten.append(self)
        out.append(packet)
        self._out_size = size = self._out_size + len(packet)
        if size >= HIGH_WATER:
            self.ready = False
        self._sent[packet[0]] += 1

    def send_all(self, packets: Sequence[bytes]) -> None:
        """Add whole packets to what the next flush writes."""
        if self._ended or not packets:
            return
        if not self._out:
            self.exchange.unwritten.append(self)
        self._out += packets
        self._out_size += sum(map(len, packets))
        self.ready = not self._congested and self._out_size < HIGH_WATER
        sent = self._sent
        for packet in packets:
            sent[packet[0]] += 1

    def write(self) -> None:
        """Write what was collected. A client that leaves a heap of it unread is dropped."""
        if not self._out or self._ended:
            return
        self.exchange.counters.bytes_sent += self._out_size
        packets, self._out, self._out_size = self._out, [], 0
        self._transport.write(b"".join(packets))
        self.ready = not self._congested
        unread = self._transport.get_write_buffer_size()
        if unread > self.exchange.limits.unread:
            self._transport.abort()
            self.end(f"it leaves {unread} bytes unread")
        else:
            self._resume()

    def pause_writing(self) -> None:
        """The client reads slower than we write."""
        self._congested, self.ready = True, False

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._congested, self.ready = False, self._out_size < HIGH_WATER
        if not self._ended:
            self._resume()
            self.exchange.flush()
