"""The audit as a chain: every row's digest covers the row and all rows before it.

    digest_n     = SHA-256(digest_(n-1) | commitment_n | JSON [version, number, at_ms, kind, source, …])
    commitment_n = SHA-256(salt_n | JSON [person_id, person, card_tail, why, actor, note])

JSON is compact and ASCII, so that one row has one encoding: null is not "", true is not 1, and no text can end its own
field. Both digests before the JSON have a fixed length. Rows are numbered 1, 2, 3 … without gaps: a number is a count.

Whatever names a person is in the commitment alone. To erase it, put the commitment in the place of text and salt: the
chain holds as before, and without the salt nobody can try names or card digits until one fits.
"""

import json
from dataclasses import dataclass, fields
from hashlib import sha256
from operator import attrgetter
from typing import Any

from doorward.domain.audit import AuditRow

VERSION = 1
SALT_BYTES = 16
PUBLIC = (
    "at_ms", "kind", "source", "reporter", "device", "request", "door_id", "door_name", "granted", "rule",
    "entry",
)  # fmt: skip
PERSONAL = ("person_id", "person", "card_tail", "why", "actor", "note")
NOBODY = (None,) * len(PERSONAL)

_public = attrgetter(*PUBLIC)
_all_but_id = attrgetter(*(field.name for field in fields(AuditRow) if field.name != "id"))
personal_of = attrgetter(*PERSONAL)
_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Head:
    """How far a chain goes: so many rows, ending in this digest."""

    count: int
    digest: bytes


ORIGIN = Head(0, bytes(32))


@dataclass(frozen=True, slots=True)
class Link:
    """A row as it is stored: with its salt, or without its personal fields and with the commitment to them."""

    row: AuditRow
    digest: bytes
    salt: bytes | None
    erased: bytes | None = None


def commitment(row: AuditRow, salt: bytes) -> bytes:
    """What the chain holds of the personal fields. Raises TypeError for what is no audit value."""
    return sha256(salt + _encode(personal_of(row)).encode()).digest()


def digest(before: bytes, number: int, row: AuditRow, committed: bytes) -> bytes:
    """The digest of `row` as the row with this number, after the one with the digest `before`."""
    fields = _encode((VERSION, number, *_public(row)))
    return sha256(before + committed + fields.encode()).digest()


def follow(head: Head, row: AuditRow, salt: bytes) -> Link:
    """`row` as the next link after `head`."""
    number = head.count + 1
    end = digest(head.digest, number, row, commitment(row, salt))
    # Twice as quick as `replace`, and on the way of every tap.
    values: list[Any] = [*_all_but_id(row), number]
    return Link(AuditRow(*values), end, salt)


def computed(before: bytes, number: int, link: Link) -> bytes | None:
    """What the link's digest has to be in this place; None for what is no link."""
    try:
        if link.erased is None:
            salt = link.salt
            if type(salt) is not bytes or len(salt) != SALT_BYTES:
                return None
            return digest(before, number, link.row, commitment(link.row, salt))
        if link.salt is not None or personal_of(link.row) != NOBODY:
            return None
        return digest(before, number, link.row, link.erased)
    except TypeError:  # a value of a kind that no audit row has, put there by other hands
        return None


def continues(head: Head, link: Link) -> bool:
    """Whether the link is whole, and the next one after `head`."""
    number = head.count + 1
    return link.row.id == number and computed(head.digest, number, link) == link.digest
