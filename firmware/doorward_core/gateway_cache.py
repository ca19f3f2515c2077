# What the gateway says of a board's copy of the rules: which one it should hold, and the pieces of it.

from binascii import b2a_base64

from doorward_core.messages import encode, hexed

# Of a cache file per message, so that base64, seal and topic stay below what a board takes.
CHUNK_SIZE = 384


def config(
    cache_version: int,
    size: int,
    sha256: bytes,
    strike_ms: int,
    cap_ms: int,
    held_ms: int,
    min_strength: int = 1,
    lockdown: bool = False,
) -> bytes:
    # min_strength and lockdown as access.Door has them: the board decides with the same policy.
    return encode(
        {
            "cache_version": cache_version,
            "size": size,
            "digest": hexed(sha256),
            "door": {
                "strike_ms": strike_ms,
                "cap_ms": cap_ms,
                "held_ms": held_ms,
                "min_strength": min_strength,
                "lockdown": lockdown,
            },
        }
    )


def cache_chunk(version: int, offset: int, file: bytes, base: int = 0) -> bytes:
    # The piece of file at offset that fits one message. base: the version to which it is a delta.
    data = b2a_base64(file[offset : offset + CHUNK_SIZE]).decode().rstrip("\n")
    fields: "dict[str, object]" = {"version": version, "offset": offset, "total": len(file)}
    if base:
        fields["from"] = base
    fields["data"] = data
    return encode(fields)
