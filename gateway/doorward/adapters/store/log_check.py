"""Whether the boards' logs are stored as they were sealed: entry after entry, and as the audit took them up."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from doorward.adapters.store.chain import driver
from doorward.domain.audit import LOG_GAP, LOST, TAMPER, UNREADABLE
from doorward.domain.audit_walk import Finding
from doorward_core import gateway_messages, seal

# What a gateway that was restored found missing, or a board had to drop or lost, and what is on record: an entry
# without a body stands there, or what the board said of it.
_GAPS = "SELECT device, entry FROM audit WHERE kind IN (?, ?, ?, ?)"
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
    gaps = set(raw.execute(_GAPS, (LOG_GAP, LOST, TAMPER, UNREADABLE)))
    log, before, expected, whole = None, seal.CHAIN_START, 1, True
    for device, epoch, seq, body, digest in raw.execute(_ENTRIES):
        if (device, epoch) != log:
            log, before, expected, whole = (device, epoch), seal.CHAIN_START, 1, True
        if not whole:
            continue
        if _place(device, epoch, seq, digest) in gaps and _spans(body, digest, expected):
            pass
        elif seq != expected:
            whole = False
            yield Finding("deleted", expected, f"it is missing from log {epoch}", device)
        elif not _is_next(before, epoch, seq, body, digest):
            whole = False
            yield Finding("edited", seq, f"it is not what the board wrote in log {epoch}", device)
        before, expected = digest, seq + 1


def _place(device: str, epoch: str, seq: int, digest: object) -> tuple[str, str] | None:
    return (device, f"{epoch}.{seq}:{digest.hex()}") if isinstance(digest, bytes) else None


def _spans(body: object, digest: object, expected: int) -> bool:
    """Whether this entry stands for all from the expected one on."""
    gone = gateway_messages.lost(body) if isinstance(body, bytes) and body else None
    return body == b"" or (gone is not None and gone[0] <= expected and gone[2] == digest)


def _is_next(before: bytes, epoch: str, seq: int, body: object, digest: object) -> bool:
    if not isinstance(body, bytes) or not isinstance(digest, bytes):
        return False
    try:
        return seal.chain(before, epoch, seq, body) == digest
    except UnicodeEncodeError:
        return False
