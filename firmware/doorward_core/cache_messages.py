# How a board's copy of who may pass is renewed: what the gateway says of it, and how a board asks for
# its pieces.

from binascii import a2b_base64

from doorward_core.board_messages import Config
from doorward_core.messages import MessageError, decode, encode, flag, number, part, text


def parse_config(body: bytes) -> Config:
    # The cache to hold (0: none), the door's settings in ms, and its policy as access.decide takes
    # it. Raises MessageError.
    fields = decode(body)
    door = part(fields, "door")
    config = Config()
    config.cache_version = number(fields, "cache_version")
    config.cache_size = number(fields, "size")
    config.cache_digest = text(fields, "digest")
    config.strike_ms = number(door, "strike_ms", 100, 60000)
    config.cap_ms = number(door, "cap_ms", 2000, 60000)
    config.held_ms = number(door, "held_ms", 1000, 86400000)
    config.lockdown = "lockdown" in door and flag(door, "lockdown")
    config.min_strength = number(door, "min_strength", 1, 2) if "min_strength" in door else 1
    return config


def cache_wanted(version: int, offset: int, base: int = 0) -> bytes:
    # base: the version that the board holds, if what has changed since will do; 0 for the whole.
    fields: "dict[str, object]" = {"want": "cache", "version": version, "offset": offset}
    if base:
        fields["from"] = base
    return encode(fields)


def parse_cache_chunk(body: bytes) -> "tuple[int, int, int, bytes, int]":
    # (version, offset, total, data, base): base as in cache_wanted(), if that is what it is a piece of.
    fields = decode(body)
    try:
        data = a2b_base64(text(fields, "data", 1024))
    except ValueError:
        raise MessageError("data", "base64")
    base = number(fields, "from") if "from" in fields else 0
    return number(fields, "version"), number(fields, "offset"), number(fields, "total"), data, base
