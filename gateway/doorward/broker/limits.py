"""How much one client may ask of the broker."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on memory and patience. Times are seconds, sizes are bytes."""

    connections: int = 4096
    # A whole site may stand behind one address; this machine's own is bounded by `connections` alone.
    connections_per_address: int = 1024
    handshakes_per_address: int = 256  # TLS connections that nobody has finished opening
    connect_within: float = 10.0  # a connection that has not said who it is by then is closed
    login_within: float = 60.0  # a login that stands in line for longer is sent away
    connect_packet: int = 4096  # nobody unknown makes us hold more than this
    packet: int = 262_144
    stalled: float = 60.0  # a packet that does not go on for that long ends its connection
    inflight: int = 64  # QoS 1 and 2 messages on their way to one client
    queued: int = 5000  # messages waiting for one client
    queued_bytes: int = 8 << 20
    # In all sessions of one user; a message counts 256 more than it holds.
    queued_bytes_per_user: int = 32 << 20
    unread: int = 1 << 20  # written to a client that does not read: beyond it the client is dropped
    grace: float = 0.001  # for clients that are here to acknowledge, before the disk is asked
    # Publishes of one client that wait for the disk, beyond which we stop reading; and of all clients, with what else
    # waits while the disk refuses.
    uncommitted: int = 1024
    uncommitted_all: int = 65_536
    # What one principal may publish a second, over all its connections, and twice that at once; 0: as fast as it can.
    # Who wants more is read from more slowly. The gateway is not bound by it.
    publish_rate: float = 2000.0
    publish_bytes: float = 4.0 * (1 << 20)
    subscriptions: int = 256  # topic filters of one session
    levels: int = 65_536  # of all the deep filters of one principal; each costs some 300 bytes
    sessions: int = 64  # that one user keeps here while it is away
    retained_bytes: int = 64 << 20  # of all retained messages: beyond it users may retain no more
    retained_bytes_per_user: int = 16 << 20  # of what one user left
    denials: int = 20  # refusals of one client that are told at once; then one a second
