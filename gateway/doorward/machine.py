"""What this machine is called, and where others find it."""

import contextlib
import socket

LOOPBACK = "127.0.0.1"

# Reserved for documentation: asking for the way there sends nothing (RFC 5737).
_ELSEWHERE = ("192.0.2.1", 9)


def own_address() -> str | None:
    """This machine's IPv4 address on the network that leads elsewhere; None without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        try:
            way.connect(_ELSEWHERE)
        except OSError:
            return None
        return str(way.getsockname()[0])


def machine_names() -> tuple[str, ...]:
    """The names and addresses that a certificate for this machine should be for, the best to type first."""
    host = socket.gethostname().lower()
    found = [host if "." in host else f"{host}.local", host]
    address = own_address()
    if address:
        found.append(address)
    with contextlib.suppress(OSError):
        told = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        found += [str(sockaddr[0]).partition("%")[0] for *_, sockaddr in told]
    found += ["localhost", "127.0.0.1", "::1"]
    return tuple(dict.fromkeys(found))
