# The gateway's half of the conversation: what it says, and what it reads of the boards' messages.

from doorward_core import topics
from doorward_core.messages import (
    MessageError,
    decode,
    encode,
    hexed,
    number,
    part,
    raw,
    text,
)

VERSION = 1
# A cache version is four bytes in the file, and there must be room for a next one.
_MOST_VERSION = (1 << 32) - 2


class Hello:
    # log_stored: (the entry behind which the board will go on, the digest there). log_lost: from which
    # entry on it has to drop what is before that, and will say so itself; 0 if there is none.
    __slots__ = (
        "device",
        "firmware",
        "log_epoch",
        "log_seq",
        "log_stored",
        "log_lost",
        "cache_version",
        "uptime",
        "heard",
    )

    def __init__(
        self,
        device: str,
        firmware: str,
        log: "tuple[str, int, tuple[int, bytes], int]",
        cache_version: int,
        uptime: int,
        heard: int,
    ) -> None:
        self.device = device
        self.firmware = firmware
        self.log_epoch, self.log_seq, self.log_stored, self.log_lost = log
        self.cache_version = cache_version
        self.uptime = uptime
        self.heard = heard


def parse_hello(body: bytes) -> Hello:
    fields = decode(body)
    number(fields, "v", VERSION, VERSION)
    log = part(fields, "log")
    newest = number(log, "seq")
    stored = number(log, "stored", 0, newest), raw(log, "digest", 16)
    return Hello(
        text(fields, "device_id", 32),
        name(fields, "firmware"),
        (
            text(log, "epoch", 8),
            newest,
            stored,
            number(log, "lost", 0, stored[0]) if "lost" in log else 0,
        ),
        number(fields, "cache_version", 0, _MOST_VERSION),
        number(fields, "uptime"),
        number(fields, "heard"),
    )


class Announcement:
    # claim: 16 bytes. board: the profile of its wiring.
    __slots__ = ("device", "claim", "board", "firmware")

    def __init__(self, device: str, claim: bytes, board: str, firmware: str) -> None:
        self.device = device
        self.claim = claim
        self.board = board
        self.firmware = firmware


def parse_announcement(body: bytes) -> Announcement:
    fields = decode(body)
    number(fields, "v", VERSION, VERSION)
    return Announcement(
        text(fields, "device_id", 32),
        raw(fields, "claim", 16),
        name(fields, "board"),
        name(fields, "firmware"),
    )


def name(fields: "dict[str, object]", field: str) -> str:
    # What a board calls a part of itself ends up on pages and in logs: nothing that could steer one.
    value = text(fields, field, 32)
    if not topics.is_id(value.replace(".", "-").replace("+", "-")):
        raise MessageError(field, "1 to 32 of A-Z a-z 0-9 . _ + -")
    return value


def approved() -> bytes:
    # To a board that announces itself: from now on it may say hello.
    return encode({"status": "approved"})


class AccessRequest:
    # credential: 16 bytes for seal.decrypt_uid().
    __slots__ = ("device", "reader", "method", "credential")

    def __init__(self, device: str, reader: int, method: str, credential: bytes) -> None:
        self.device = device
        self.reader = reader
        self.method = method
        self.credential = credential


def parse_access_request(body: bytes) -> AccessRequest:
    fields = decode(body)
    return AccessRequest(
        text(fields, "device_id", 32),
        number(fields, "reader", 0, 15),
        text(fields, "method", 16),
        raw(fields, "credential", 16),
    )


class Event:
    # timestamp as the board wrote it; clock "gateway" or "free" says what it is worth.
    __slots__ = ("kind", "device", "seq", "timestamp", "clock", "data")

    def __init__(
        self,
        kind: str,
        device: str,
        seq: int,
        timestamp: str,
        clock: str,
        data: "dict[str, object]",
    ) -> None:
        self.kind = kind
        self.device = device
        self.seq = seq
        self.timestamp = timestamp
        self.clock = clock
        self.data = data


def parse_event(body: bytes) -> Event:
    fields = decode(body)
    return Event(
        text(fields, "type", 32),
        text(fields, "device_id", 32),
        number(fields, "seq"),
        text(fields, "ts", 20),
        text(fields, "clock", 8),
        part(fields, "data"),
    )


def lost(body: bytes) -> "tuple[int, int, bytes] | None":
    # (first, last, digest of the last) of the entries in whose place this event stands; None for any
    # other event, also for one that cannot be read.
    if b'"lost"' not in body:
        return None
    try:
        event = parse_event(body)
        if event.kind != "lost" or "first" not in event.data:
            return None
        last = number(event.data, "last", event.seq, event.seq)
        return number(event.data, "first", 1, last), last, raw(event.data, "digest", 16)
    except MessageError:
        return None


class CommandAck:
    # Exactly one of nonce (16 bytes, a challenge offered), result, want and part (of a self-test, with
    # its readings in data) is not None.
    __slots__ = (
        "command_id",
        "nonce",
        "result",
        "want",
        "version",
        "offset",
        "base",
        "part",
        "data",
    )

    def __init__(
        self, command_id: str, nonce: "bytes | None", result: "str | None", want: "str | None"
    ) -> None:
        self.command_id = command_id
        self.nonce = nonce
        self.result = result
        self.want = want
        self.version = 0
        self.offset = 0
        self.base = 0
        self.part: "str | None" = None
        self.data: "dict[str, object]" = {}


def parse_command_ack(body: bytes) -> CommandAck:
    fields = decode(body)
    if "want" in fields:
        ack = CommandAck("", None, None, text(fields, "want", 16))
        ack.version = number(fields, "version")
        ack.offset = number(fields, "offset")
        ack.base = number(fields, "from") if "from" in fields else 0
        return ack
    command_id = text(fields, "command_id", 32)
    if "nonce" in fields:
        return CommandAck(command_id, raw(fields, "nonce", 16), None, None)
    if "part" in fields:
        ack = CommandAck(command_id, None, None, None)
        ack.part = text(fields, "part", 16)
        ack.data = part(fields, "data")
        return ack
    return CommandAck(command_id, None, text(fields, "result", 16), None)


def access_answer(granted: bool, rule: int, seconds: int, timestamp: str) -> bytes:
    # seconds: how long to energise the strike; sent only with a grant.
    fields: "dict[str, object]" = {
        "access_granted": granted,
        "rule": rule,
        "timestamp": timestamp,
    }
    if granted:
        fields["seconds"] = seconds
    return encode(fields)


def time_answer(utc: int, offset: int, next_change: int, next_offset: int) -> bytes:
    # offset, next_offset: minutes ahead of UTC now and from next_change (UTC s, 0: never) on.
    return encode(
        {
            "utc": utc,
            "offset_min": offset,
            "next_change": next_change,
            "next_offset_min": next_offset,
        }
    )


def events_ack(epoch: str, seq: int, digest: bytes, over: bool = False) -> bytes:
    # digest: the log's, after seq. over: the board has begun another since, and this one goes on no more.
    fields: "dict[str, object]" = {"epoch": epoch, "seq": seq, "digest": hexed(digest)}
    if over:
        fields["over"] = True
    return encode(fields)


def command(
    name: str, parameters: "dict[str, object]", command_id: str, timestamp: str, ttl_s: int
) -> bytes:
    return encode(
        {
            "command": name,
            "parameters": parameters,
            "command_id": command_id,
            "timestamp": timestamp,
            "ttl_s": ttl_s,
        }
    )
