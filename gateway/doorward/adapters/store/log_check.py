"""Whether the boards' logs are stored as they were sealed: entry after entry, and as the audit took them up."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from doorward.adapters.store.chain import driver
from doorward.domain.audit import LOG_GAP
from doorward.domain.audit_walk import Finding
from doorward_core import seal

# What a gateway that was restored found missing, and put on record: an entry without a body stands there.
_GAPS = "SELECT device, entry FROM audit WHERE kind = ?"
_ENTRIES = "SELECT device, epoch, seq, body, digest FROM device_event ORDER BY device, epoch, seq"
# Rows whose entry is not the one that they were taken from. `entry` is epoch.seq:digest.
_CONTRADICTED = """
SELECT audit.device, kept.seq, kept.place, audit.id
FROM audit
JOIN (
    SELECT id, substr(entry, 1, instr(entry, '.') - 1) AS epoch, entry AS place,
        CAST(substr(entry, instr(entry, '.') + 1, instr(entry, ':') - instr(entry, '.') - 1) AS INTEGER) AS seq
    FROM audit WHERE entry IS NOT NULL
) AS kept ON kept.id = audit.id
LEFT JOIN device_event AS event
    ON event.device = audit.device AND event.epoch = kept.epoch AND event.seq = kept.seq
WHERE event.id IS NULL OR kept.place IS NOT event.epoch || '.' || event.seq || ':' || lower(hex(event.digest))
ORDER BY audit.id
"""


def count(connection: Connection) -> int:
    """How many entries there are."""
    found: int = driver(connection).execute("SELECT count(*) FROM device_event").fetchone()[0]
    return found


def findings(connection: Connection) -> Iterator[Finding]:
    """The first entry of each board that is not as it came."""
    raw = driver(connection)
    raw.text_factory = lambda content: content.decode("utf-8", "surrogateescape")
    try:
        told = set()
        for finding in _broken(raw):
            if finding.device not in told:
                told.add(finding.device)
                yield finding
        for device, seq, place, row in raw.execute(_CONTRADICTED):
            if device not in told:
                told.add(device)
                detail = f"row {row} of the audit was taken from {place}, which is not here"
                yield Finding("rewritten", seq, detail, device)
    finally:
        raw.text_factory = str


def _broken(raw: Any) -> Iterator[Finding]:
    gaps = set(raw.execute(_GAPS, (LOG_GAP,)))
    log, before, expected, whole = None, seal.CHAIN_START, 1, True
    gaps = set(raw.execute(_GAPS, (LOG_GAP,)))
    for device, epoch, seq, body, digest in raw.execute(_ENTRIES):
        if (device, epoch) != log:
            log, before, expected, whole = (device, epoch), seal.CHAIN_START, 1, True
        if not whole:
            continue
        if (
            body == b""
            and isinstance(digest, bytes)
            and (device, f"{epoch}.{seq}:{digest.hex()}") in gaps
        ):
            before, expected = digest, seq + 1
            continue
        if body == b"" and _place(device, epoch, seq, digest) in gaps:
            expected = seq
        elif seq != expected:
            whole = False
            yield Finding("deleted", expected, f"it is missing from log {epoch}", device)
        elif not _is_next(before, epoch, seq, body, digest):
            whole = False
            yield Finding("edited", seq, f"it is not what the board wrote in log {epoch}", device)
        before, expected = digest, expected + 1


def _place(device: str, epoch: str, seq: int, digest: object) -> tuple[str, str] | None:
    return (device, f"{epoch}.{seq}:{digest.hex()}") if isinstance(digest, bytes) else None


def _is_next(before: bytes, epoch: str, seq: int, body: object, digest: object) -> bool:
    if not isinstance(body, bytes) or not isinstance(digest, bytes):
        return False
    try:
        return seal.chain(before, epoch, seq, body) == digest
    except UnicodeEncodeError:
        return False
