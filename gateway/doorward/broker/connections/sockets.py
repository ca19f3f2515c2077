"""What the broker asks of a TCP connection."""

import asyncio
import select
import socket

# For clients without keep-alive: TCP itself asks after a minute whether they are still there, and ends it after two.
_ALIVE = (("SO_KEEPALIVE", 1), ("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))


def address_of(transport: asyncio.BaseTransport) -> tuple[str, str]:
    """(host, host and port) of the other end."""
    peername = transport.get_extra_info("peername")
    if not isinstance(peername, tuple):
        return "", "local"
    return str(peername[0]), f"{peername[0]}:{peername[1]}"


def stay_alive(sock: socket.socket) -> None:
    """Have TCP notice when the other end is gone."""
    for name, value in _ALIVE:
        option = getattr(socket, name, None)
        if option is not None:
            level = socket.SOL_SOCKET if name.startswith("SO_") else socket.IPPROTO_TCP
            sock.setsockopt(level, option, value)


def is_gone(sock: socket.socket, *, also_half: bool) -> bool:
    """Whether the other end has hung up on a connection that nobody reads from; `also_half`: if it only says no more.

    What it had said before can still be read then, unless it has closed both ways.
    """
    half = getattr(select, "POLLRDHUP", 0) if also_half else 0
    poll = select.poll()
    poll.register(sock.fileno(), half)
    return bool(poll.poll(0))
