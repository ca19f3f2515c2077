# The board's half of the conversation: what it says, and what it reads of the gateway's answers.

from doorward_core.messages import decode, encode, flag, hexed, number, part, raw, text

VERSION = 1


def hello(
    device: str,
    firmware: str,
    log_epoch: str,
    log_seq: int,
    cache_version: int,
    uptime_ms: int,
    heard: int = 0,
    stored: "tuple[int, bytes, int]" = (0, bytes(16), 0),
) -> bytes:
    # log_epoch and log_seq: the newest entry of the log. heard: the highest number of a statement
    # that this boot has taken, so that a gateway whose clock went back goes on above it. stored:
    # the entry behind which uploading goes on, and the digest there, so that a gateway restored
    # from a backup can go on behind it, too; and from where on what is before it had to be dropped, which an
    # event will tell (0: nothing). The boot nonce is in the freshness word.
    log: "dict[str, object]" = {
        "epoch": log_epoch,
        "seq": log_seq,
        "stored": stored[0],
        "digest": hexed(stored[1]),
    }
    if stored[2]:
        log["lost"] = stored[2]
    return encode(
        {
            "v": VERSION,
            "status": "online",
            "device_id": device,
            "firmware": firmware,
            "log": log,
            "cache_version": cache_version,
            "uptime": uptime_ms // 1000,
            "heard": heard,
        }
    )


def access_request(device: str, reader: int, credential: bytes) -> bytes:
    # credential: the 16 bytes of seal.encrypt_uid() under this request's nonce.
    return encode(
        {
            "v": VERSION,
            "method": "rfid",
            "device_id": device,
            "reader": reader,
            "credential": hexed(credential),
        }
    )


def time_request(device: str) -> bytes:
    return encode({"v": VERSION, "device_id": device})


def event(
    kind: str,
    device: str,
    epoch: str,
    seq: int,
    timestamp: str,
    clock: str,
    data: "dict[str, object]",
) -> bytes:
    # clock: "gateway" if timestamp is the gateway's time, "free" if the board only counts.
    return encode(
        {
            "v": VERSION,
            "type": kind,
            "event_id": device + "-" + epoch + "-" + str(seq),
            "seq": seq,
            "ts": timestamp,
            "clock": clock,
            "device_id": device,
            "data": data,
        }
    )


def reported(
    lock: "str | None",
    contact: "str | None",
    alarm: "str | None",
    cache_version: int,
    firmware: str,
    more: "dict[str, object] | None" = None,
) -> bytes:
    # lock: "locked" or "unlocked", None where there is none; contact: "open", "closed" or None where none is fitted;
    # alarm: "forced", "held" or None. more: what this role says beside that.
    fields: "dict[str, object]" = {
        "online": True,
        "lock": lock,
        "contact": contact,
        "alarm": alarm,
        "cache_version": cache_version,
        "firmware": firmware,
    }
    if more:
        fields.update(more)
    return encode(fields)


def heartbeat(
    uptime_ms: int, signal: "int | None", timestamp: str, figures: "dict[str, object]"
) -> bytes:
    # figures: what this build measures of itself (heap, longest stall, reader resets).
    fields: "dict[str, object]" = {
        "status": "online",
        "uptime": uptime_ms // 1000,
        "signal_strength": signal,
        "timestamp": timestamp,
    }
    fields.update(figures)
    return encode(fields)


def challenge_answer(command_id: str, nonce: bytes) -> bytes:
    return encode({"command_id": command_id, "nonce": hexed(nonce)})


def command_result(command_id: str, result: str) -> bytes:
    # result: "done", "already" (the door stands open), "refused" or "unknown" (no such command).
    return encode({"command_id": command_id, "result": result})


def parse_access_answer(body: bytes) -> "tuple[bool, int, int]":
    # (granted, rule, seconds): how long to energise the strike, 0 when not granted.
    fields = decode(body)
    granted = flag(fields, "access_granted")
    seconds = number(fields, "seconds", 1, 60) if granted else 0
    return granted, number(fields, "rule", 0, 255), seconds


def parse_time_answer(body: bytes) -> "tuple[int, int, int, int]":
    # (UTC s, offset, next change, next offset): minutes ahead of UTC now, and from the next change
    # (UTC s, 0: never) on.
    fields = decode(body)
    return (
        number(fields, "utc"),
        number(fields, "offset_min", -1440, 1440),
        number(fields, "next_change"),
        number(fields, "next_offset_min", -1440, 1440),
    )


def parse_events_ack(body: bytes) -> "tuple[str, int, bytes | None, bool]":
    # (log epoch, seq, digest, over): everything up to seq is stored, and the log's digest there; an older
    # gateway does not say it. over: nothing more is taken of this log.
    fields = decode(body)
    digest = raw(fields, "digest", 16) if "digest" in fields else None
    return text(fields, "epoch", 8), number(fields, "seq"), digest, fields.get("over") is True


def parse_command(body: bytes) -> "tuple[str, str, dict[str, object]]":
    # (name, command id, parameters).
    fields = decode(body)
    return text(fields, "command", 32), text(fields, "command_id", 32), part(fields, "parameters")


class Config:
    # What cache_messages.parse_config() reads.
    site_rules = False
    cache_version: int
    cache_size: int
    cache_digest: str
    strike_ms: int
    cap_ms: int
    held_ms: int
    lockdown: bool
    min_strength: int
