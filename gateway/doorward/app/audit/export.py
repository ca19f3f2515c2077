r"""Exports of the audit: a line a row, as JSON or as CSV, and a last line by which the signer answers for them.

In CSV nothing means null. A text that is empty, or that a spreadsheet would take for a formula (it begins with one of
= + - @, a tab, a carriage return or an apostrophe), has an apostrophe put before it; who reads it takes one away.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from doorward.domain.audit import AuditRow
from doorward.domain.audit_chain import Link

VERSION = 1
TRAILER = "doorward_audit"  # the first key of the last line, or its first cell
_ROW = tuple(field.name for field in fields(AuditRow) if field.name not in {"id", "at_ms"})
_BYTES = ("digest", "salt", "erased")
COLUMNS = ("id", "at", "at_ms", *_ROW, *_BYTES)
_NUMBERS = {"id", "at_ms", "person_id", "rule"}
_GUARDED = ("=", "+", "-", "@", "\t", "\r", "'")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def statement(said: Mapping[str, Any]) -> bytes:
    """The SHA-256 of what a trailer says: what the signer signs."""
    body = {key: value for key, value in said.items() if key not in {"signature", "certificates"}}
    return sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).digest()


def begin(form: str) -> bytes:
    """What comes before the rows."""
    return _csv([COLUMNS]) if form == "csv" else b""


def rows(form: str, links: Iterable[Link]) -> bytes:
    """Some rows."""
    told = (_told(link) for link in links)
    if form == "csv":
        return _csv([_cell(name, row[name]) for name in COLUMNS] for row in told)
    return b"".join(_json(row) for row in told)


def end(form: str, said: Mapping[str, Any]) -> bytes:
    """The trailer. `said` has VERSION under TRAILER as its first key."""
    return _csv([(TRAILER, json.dumps(said))]) if form == "csv" else _json(said)


def trailer(form: str, line: str) -> dict[str, Any] | None:
    """What the last line says; None if it is no trailer."""
    try:
        if form == "csv":
            cells = next(csv.reader([line]))
            line = cells[1] if len(cells) == 2 and cells[0] == TRAILER else ""
        said = json.loads(line, object_pairs_hook=_once)
    except (ValueError, csv.Error, StopIteration):
        return None
    return said if isinstance(said, dict) and said.get(TRAILER) == VERSION else None


def read(form: str, lines: Iterable[str]) -> Iterator[Link | None]:
    """The rows of a file without its trailer; None for a line that is no row."""
    if form == "jsonl":
        for line in lines:
            yield _from_json(line)
        return
    reader = csv.reader(iter(lines), strict=True)
    try:
        for number, cells in enumerate(reader):
            if cells[:1] == [TRAILER]:
                return
            if number == 0 and tuple(cells) == COLUMNS:
                continue
            yield _from_csv(cells)
    except csv.Error:
        yield None


def _instant(at_ms: int) -> str | None:
    """For people, and checked against the number; None beyond the calendar."""
    try:
        at = _EPOCH + timedelta(milliseconds=at_ms)
    except (OverflowError, TypeError):
        return None
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _told(link: Link) -> dict[str, Any]:
    row = link.row
    told = {"id": row.id, "at": _instant(row.at_ms), "at_ms": row.at_ms}
    told |= {name: _plain(getattr(row, name)) for name in _ROW}
    return told | {name: _hex(getattr(link, name)) for name in _BYTES}


def _plain(value: Any) -> Any:
    """What other hands put into a text column is exported in a form that no check will take for it."""
    return f"bytes {value.hex()}" if isinstance(value, bytes) else value


def _hex(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _json(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


def _csv(lines: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(lines)
    return text.getvalue().encode("utf-8", "backslashreplace")


def _cell(name: str, value: object) -> object:
    if value is None or name in _NUMBERS:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return f"'{text}" if not text or text.startswith(_GUARDED) else text


def _from_json(line: str) -> Link | None:
    try:
        said = json.loads(line, object_pairs_hook=_once)
    except ValueError:
        return None
    if not isinstance(said, dict) or tuple(said) != COLUMNS:
        return None
    return _link(said)


def _from_csv(cells: list[str]) -> Link | None:
    if len(cells) != len(COLUMNS):
        return None
    try:
        return _link({name: _value(name, cell) for name, cell in zip(COLUMNS, cells, strict=True)})
    except ValueError:
        return None


def _value(name: str, cell: str) -> object:
    if not cell:
        return None
    if name in _NUMBERS:
        return int(cell)
    if name == "granted":
        return {"true": True, "false": False}[cell] if cell in {"true", "false"} else cell
    return cell.removeprefix("'")


def _link(said: dict[str, Any]) -> Link | None:
    number = said["id"]
    if type(number) is not int or said["at"] != _instant(said["at_ms"]):
        return None
    try:
        blobs = {name: None if said[name] is None else bytes.fromhex(said[name]) for name in _BYTES}
    except (ValueError, TypeError):
        return None
    row = AuditRow(id=number, at_ms=said["at_ms"], **{name: said[name] for name in _ROW})
    return Link(row, blobs["digest"] or b"", blobs["salt"], blobs["erased"])


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object that says everything once: of two readers, none may see something else."""
    said = dict(pairs)
    if len(said) != len(pairs):
        raise ValueError(pairs)
    return said
