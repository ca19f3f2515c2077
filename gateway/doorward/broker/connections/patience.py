"""How long a client that was let in may say nothing."""

from doorward.broker.limits import Limits

PROGRESS = 1024  # bytes more of an unfinished packet, so many that the client is alive; one now and then is not
_TIMES = 1.5  # the keep-alive, as the standard has it (3.1.2.10)


def overdue(silent: float, keepalive: float, limits: Limits, *, unfinished: bool) -> str | None:
    """Why a client is to be dropped that was `silent` for so many seconds, None while it is not.

    `keepalive` is its own promise, 0 for none; `unfinished` says that a part of a packet has come.
    """
    if keepalive and silent > keepalive * _TIMES:
        return f"nothing heard for {silent:.1f} s with a keep-alive of {keepalive:.0f} s"
    if unfinished and silent > limits.stalled:
        return f"half a packet, and nothing more for {silent:.1f} s"
    return None
