"""How much one client may ask of the broker."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on memory and patience. Times are seconds, sizes are bytes."""

    connections: int = 4096
    connect_within: float = 10.0  # a connection that has not said who it is by then is closed
    connect_packet: int = 4096  # nobody unknown makes us hold more than this
    packet: int = 262_144
    inflight: int = 64  # QoS 1 messages on their way to one client
    queued: int = 5000  # messages waiting for one client
    queued_bytes: int = 8 << 20
    unread: int = 1 << 20  # written to a client that does not read: beyond it the client is dropped
    uncommitted: int = (
        1024  # publishes of one client that wait for the disk: beyond it we stop reading
    )
    subscriptions: int = 256  # topic filters of one session
    denials: int = 20  # refusals of one client that are told at once; then one a second
