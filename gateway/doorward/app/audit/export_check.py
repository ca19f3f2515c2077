"""An export of the audit, checked with the site's CA certificate alone: no database, no gateway, no network."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from doorward.app.audit import export, proofs
from doorward.app.audit.trail import sound, verdict
from doorward.app.trust import Anchor, ExportSignature
from doorward.app.views.audit import AuditVerdict
from doorward.domain.audit import AuditRow
from doorward.domain.audit_chain import ORIGIN, Head, Link
from doorward.domain.audit_walk import Finding, walk
from doorward.errors import InvalidInput

_BLOCK = 64 * 1024


@dataclass(frozen=True, slots=True)
class _Trailer:
    start: Head
    end: Head
    anchors: tuple[Anchor, ...]
    told: tuple[Finding, ...]  # what the gateway itself found when it made the file
    signed: ExportSignature
    statement: bytes


def check_file(path: Path, root: bytes) -> AuditVerdict:
    """Check every row of an export. `root`: the site's CA certificate, PEM. Raises OSError."""
    with path.open("rb") as file:
        form = "jsonl" if file.read(1) == b"{" else "csv"
        until, line = _last_line(file)
        trailer = _trailer(form, line)
        if trailer is None:
            seen = walk(_links(file, form, until, ORIGIN))
            detail = "the end of the file is missing, and with it the signature"
            return verdict(seen, ORIGIN, (), [Finding("truncated", seen.end.count + 1, detail)])
        anchors, findings = _signed(trailer, root)
        heads = [Head(anchor.count, anchor.digest) for anchor in anchors]
        rows = _links(file, form, until, trailer.start)
        seen = walk(rows, trailer.start, anchors=heads, head=trailer.end)
        return verdict(seen, trailer.start, anchors, [*seen.findings, *findings, *trailer.told])


def _signed(trailer: _Trailer, root: bytes) -> tuple[tuple[Anchor, ...], tuple[Finding, ...]]:
    """The anchors that can be believed, and what is wrong with signatures."""
    try:
        proofs.check_export(trailer.statement, trailer.signed, root)
    except InvalidInput as error:
        return (), (Finding("signature", trailer.start.count + 1, error.problem),)
    return sound(trailer.anchors, trailer.signed.certificates, root)


def _last_line(file: BinaryIO) -> tuple[int, str]:
    """Where the last line begins, and the line."""
    end = file.seek(0, io.SEEK_END)
    start, line = end, b""
    while start > 0 and b"\n" not in line[:-1]:
        start = max(0, start - _BLOCK)
        file.seek(start)
        line = file.read(end - start)
    place = line[:-1].rfind(b"\n") + 1
    return start + place, line[place:].decode("utf-8", "replace")


def _links(file: BinaryIO, form: str, until: int, start: Head) -> Iterator[Link]:
    """The rows before the trailer. A line that is none stands for the row that should be there, and fits nowhere."""
    file.seek(0)
    number = start.count
    for link in export.read(form, _lines(file, until)):
        number += 1
        yield link or Link(AuditRow(0, "", "", id=number), b"", None)
        if link is not None:
            number = link.row.id


def _lines(file: BinaryIO, until: int) -> Iterator[str]:
    while (place := file.tell()) < until:
        yield file.readline(until - place).decode("utf-8", "surrogateescape")


def _trailer(form: str, line: str) -> _Trailer | None:
    said = export.trailer(form, line)
    if said is None:
        return None
    try:
        return _Trailer(
            _head(said["after"]),
            _head(said["end"]),
            tuple(Anchor.from_json(one) for one in said["anchors"]),
            tuple(Finding(f["kind"], int(f["row"]), str(f["detail"])) for f in said["findings"]),
            ExportSignature(
                bytes.fromhex(said["signature"]),
                tuple(str(pem).encode() for pem in said["certificates"]),
            ),
            export.statement(said),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _head(said: Any) -> Head:
    return Head(int(said["row"]), bytes.fromhex(said["digest"]))
