# The gateway's half of an update over the network: what it offers, the pieces that boards ask for,
# and what a board's log says of it.

from binascii import b2a_base64

from doorward_core.messages import MessageError, encode, hexed, number, text

# Of a firmware per message, so that base64, seal and topic stay below what a board takes.
PIECE_SIZE = 384
EVENT = "update"
STATES = ("installed", "confirmed", "rolled back", "refused")


def offer(version: str, size: int, digest: bytes, signature: bytes, until: int) -> bytes:
    # size and digest (SHA-256) of the manifest; signature over it; until: UTC seconds, nothing is
    # begun or fetched later. The order's number is the counter in the freshness word.
    return encode(
        {
            "version": version,
            "size": size,
            "digest": hexed(digest),
            "signature": _base64(signature),
            "until": until,
        }
    )


def piece(order: int, offset: int, total: int, data: bytes) -> bytes:
    # offset: in the manifest and its files, one after the other; total: of them all.
    return encode({"version": order, "offset": offset, "total": total, "data": _base64(data)})


def trust(modulus: bytes) -> "dict[str, object]":
    # The parameters of a command "trust": whose firmware the board takes from now on.
    return {"key": _base64(modulus)}


class Report:
    # What an event "update" says. reason: one word or line, "" where all went well.
    __slots__ = ("order", "version", "state", "reason")

    def __init__(self, data: "dict[str, object]") -> None:
        self.order = number(data, "order")
        self.version = text(data, "version", 32)
        self.state = text(data, "state", 16)
        self.reason = text(data, "reason", 128) if "reason" in data else ""
        if self.state not in STATES:
            raise MessageError("state", " or ".join(STATES))


def _base64(data: bytes) -> str:
    return b2a_base64(data).decode().rstrip("\n")
