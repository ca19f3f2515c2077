"""Instants as the stores and the signer keep them: whole milliseconds of UTC."""

from datetime import UTC, datetime


def milliseconds(at: datetime) -> int:
    """An instant as a number."""
    return int(at.timestamp() * 1000)


def instant(at_ms: int) -> datetime:
    """The inverse of `milliseconds`."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)
