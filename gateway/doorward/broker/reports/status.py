"""The broker in numbers, as its health checks and figures want them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """What it holds now: open connections, sessions with what they subscribed to and have to get, retained messages.

    What went wrong since it was started: messages that fitted into no queue, requests that a rule refused, reads that
    had to wait for their rate, TLS handshakes; changes that broker.db could not hold, or has lost.
    """

    connections: int
    sessions: int
    subscriptions: int
    retained: int
    unsettled: int
    dropped: int
    denied: int
    throttled: int
    handshakes_failed: int
    left_out: int
    lost: int
