"""How far the audit went, kept outside its database: who cuts the database cannot cut this.

`audit.head` is written after every commit and has two records of which the older one is overwritten, so that one is
always whole. `audit.anchors` has a signed line now and then, as JSON; it only grows. `audit.pem` is the key for both.
"""

import hmac
import json
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from doorward import private_file
from doorward.app.audit import proofs
from doorward.app.trust import Anchor, AuditHead, ExportSignature
from doorward.domain.instants import milliseconds
from doorward.errors import Conflict, InvalidInput, KeyFileError
from doorward.file_lock import lock_directory
from doorward.signer.authority import Authority, read_pair

_ROWS_AN_ANCHOR = 1000
_RECORD = struct.Struct(">4sQQQ32s")  # magic, number of this record, anchors so far, rows, digest
_MAGIC = b"dwh1"
_MAC_BYTES = 32
_SLOT = 512  # a sector: one record is never torn by the write of the other
_BACKUP = "restore it from your backup"


@dataclass(frozen=True, slots=True)
class _Record:
    number: int
    anchors: int
    head: AuditHead


def _now() -> datetime:
    return datetime.now(UTC)


class Notary:
    """Remembers and signs. Its files are read when they are first needed: doors do not wait for the audit's."""

    def __init__(
        self, directory: Path, authority: Authority, now: Callable[[], datetime] = _now
    ) -> None:
        """Open `audit.pem`, or make it when the directory never had one. Raises KeyFileError."""
        self._head_path = directory / "audit.head"
        self._anchors_path = directory / "audit.anchors"
        self._now = now
        path = directory / "audit.pem"
        with lock_directory(directory, wait=True):
            if not path.exists():
                if self._head_path.exists() or self._anchors_path.exists():
                    raise KeyFileError(
                        f"key file {path} is missing, and what it signed could not go on", _BACKUP
                    )
                private_file.create(path, authority.certify_audit())
        self._key, certificate = read_pair(path)
        if not authority.issued(certificate):
            raise KeyFileError(f"key file {path} is of another authority", _BACKUP)
        self.certificates: tuple[bytes, ...] = (certificate.public_bytes(Encoding.PEM),)
        self._mac_key = _derived(self._key)
        self._lock = Lock()
        self._state: tuple[_Record, int] | None = (
            None  # the last record, and the rows of the last anchor
        )

    def anchor(
        self, count: int, digest: bytes, *, signed: bool = False, restored: bool = False
    ) -> None:
        """As the port says."""
        if count < 0 or len(digest) != proofs.DIGEST_BYTES:
            raise InvalidInput("an anchor is a number of rows and 32 bytes", field="digest")
        head = AuditHead(count, digest)
        with self._lock:
            last, anchored = self._state or self._load(forgiving=restored)
            if not restored:
                _refuse_going_back(last.head, head)
            anchors = last.anchors
            signed = signed or restored or count // _ROWS_AN_ANCHOR > anchored // _ROWS_AN_ANCHOR
            if signed:
                anchors, anchored = self._append(head, restored=restored), count
            record = _Record(last.number + 1, anchors, head)
            self._write(record, keep=signed)
            self._state = record, anchored

    def anchors(self) -> tuple[Anchor, ...]:
        """All anchors, oldest first; a line that the power cut off is none. Raises KeyFileError for what is no line."""
        try:
            lines = self._anchors_path.read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return ()
        try:
            return tuple(Anchor.from_json(json.loads(line)) for line in lines)
        except (ValueError, TypeError, KeyError) as error:
            raise KeyFileError(f"{self._anchors_path} is damaged", _BACKUP) from error

    def head(self) -> AuditHead | None:
        """What was last remembered. Raises KeyFileError when it is not legible."""
        with self._lock:
            last, _anchored = self._state or self._load()
        return last.head if last.number else None

    def sign_export(self, digest: bytes) -> ExportSignature:
        """Sign an export's SHA-256."""
        if len(digest) != proofs.DIGEST_BYTES:
            raise InvalidInput("a digest has 32 bytes", field="digest")
        signature = self._key.sign(proofs.export_message(digest), proofs.ALGORITHM)
        return ExportSignature(signature, self.certificates)

    def _load(self, *, forgiving: bool = False) -> tuple[_Record, int]:
        """The last record and the rows of the last anchor. An anchor that no record knows of is the later word.

        `forgiving`: what is damaged or lost begins anew, because somebody who may said so.
        """
        try:
            content = self._head_path.read_bytes()
        except FileNotFoundError:
            content = b""
        records = [self._parse(content[place : place + _SLOT]) for place in (0, _SLOT)]
        whole = [record for record in records if record is not None]
        # A file that the power cut off before anything of it was on disk reads as zeros.
        if not whole and content.strip(b"\0") and not forgiving:
            raise KeyFileError(f"{self._head_path} is damaged", _BACKUP)
        none = _Record(0, 0, AuditHead(0, bytes(proofs.DIGEST_BYTES)))
        last = max(whole, key=lambda record: record.number, default=none)
        anchors = self.anchors()
        if len(anchors) < last.anchors and not forgiving:
            raise KeyFileError(
                f"{self._anchors_path} has {len(anchors)} anchors, it had {last.anchors}", _BACKUP
            )
        if len(anchors) > last.anchors:
            newest = anchors[-1]
            head = AuditHead(newest.count, newest.digest)
            last = _Record(last.number + 1, len(anchors), head)
        return last, anchors[-1].count if anchors else 0

    def _parse(self, slot: bytes) -> _Record | None:
        packed, mac = slot[: _RECORD.size], slot[_RECORD.size : _RECORD.size + _MAC_BYTES]
        if not hmac.compare_digest(self._mac(packed), mac):
            return None
        _magic, number, anchors, count, digest = _RECORD.unpack(packed)
        return _Record(number, anchors, AuditHead(count, digest))

    def _write(self, record: _Record, *, keep: bool) -> None:
        head = record.head
        packed = _RECORD.pack(_MAGIC, record.number, record.anchors, head.count, head.digest)
        descriptor = os.open(self._head_path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(descriptor, packed + self._mac(packed), record.number % 2 * _SLOT)
            if keep:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _append(self, head: AuditHead, *, restored: bool) -> int:
        """Add an anchor; returns how many there are then. On disk when this returns."""
        at_ms = milliseconds(self._now())
        message = proofs.anchor_message(head.count, head.digest, at_ms, restored=restored)
        signature = self._key.sign(message, proofs.ALGORITHM)
        line = _line(Anchor(head.count, head.digest, at_ms, restored, signature))
        descriptor = os.open(self._anchors_path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            # What the power cut off is no line, and must not become the beginning of one.
            whole = file.read().rpartition(b"\n")
            file.truncate(len(whole[0] + whole[1]))
            file.seek(0, os.SEEK_END)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        private_file.sync_directory(self._anchors_path.parent)
        return (whole[0] + whole[1]).count(b"\n") + 1

    def _mac(self, packed: bytes) -> bytes:
        return hmac.digest(self._mac_key, packed, "sha256")


def _refuse_going_back(known: AuditHead, new: AuditHead) -> None:
    if new.count < known.count:
        raise Conflict(
            f"the audit has {new.count} rows, and it had {known.count} before",
            "run `doorward audit verify`",
        )
    if new.count == known.count and known.count and new.digest != known.digest:
        raise Conflict(
            f"row {new.count} of the audit is not what it was", "run `doorward audit verify`"
        )


def _derived(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key of the head's MAC: a signature after every commit would take ten times as long."""
    secret = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return HKDF(hashes.SHA256(), _MAC_BYTES, None, b"doorward audit head").derive(secret)


def _line(anchor: Anchor) -> bytes:
    return json.dumps(anchor.to_json(), separators=(",", ":")).encode() + b"\n"
