"""The audit, checked against what the signer remembers of it, and taken along signed."""

import asyncio
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from doorward.app.access.announcer import Announcer
from doorward.app.audit import export, proofs
from doorward.app.ports import AuditStore, Clock, TrailStore
from doorward.app.trust import Anchor, AuditHead, ExportSignature
from doorward.app.views.audit import AuditFinding, AuditVerdict, entry
from doorward.domain import audit
from doorward.domain.audit import CHAINED, AuditRow
from doorward.domain.audit_chain import ORIGIN, Head
from doorward.domain.audit_walk import Finding, Walked, links, walk
from doorward.domain.instants import instant, milliseconds
from doorward.errors import DoorwardError, InvalidInput, Unavailable


class Witness(Protocol):
    """Those parts of the signer that answer for the audit."""

    def anchors(self) -> tuple[Anchor, ...]: ...

    def head(self) -> AuditHead | None: ...

    def sign_export(self, digest: bytes) -> ExportSignature: ...

    def audit_certificates(self) -> tuple[bytes, ...]: ...

    def certificate(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _Proof:
    """What the signer remembers, as far as it can be believed."""

    anchors: tuple[Anchor, ...]
    head: Head | None
    findings: tuple[Finding, ...]

    @property
    def heads(self) -> list[Head]:
        return [Head(anchor.count, anchor.digest) for anchor in self.anchors]


def check(store: TrailStore, witness: Witness, *, restored: bool = False) -> AuditVerdict:
    """Look at every row and every entry of the boards' logs. Takes seconds for a million rows; blocking.

    `restored`: a backup was restored, and no gateway has run since: that rows are missing at the end is explained.
    """
    # In this order: rows that come meanwhile are beyond the head, and no alarm.
    proof = _proof(witness)
    end = store.end()
    rows = links(lambda first: store.page(first, end.count))
    head = None if restored else proof.head
    seen = walk(rows, anchors=() if restored else proof.heads, head=head)
    findings = [*seen.findings, *proof.findings]
    if head is None and not restored and not proof.findings:
        findings += _unanchored(store, end)
    logs = store.log_findings()
    return verdict(seen, ORIGIN, proof.anchors, [*findings, *logs], store.log_entries())


def verdict(
    seen: Walked,
    start: Head,
    anchors: tuple[Anchor, ...],
    findings: list[Finding],
    entries: int = 0,
) -> AuditVerdict:
    """What a walk came to."""
    return AuditVerdict(
        first=start.count + 1,
        last=seen.end.count,
        proven=seen.proven.count,
        anchors=len(anchors),
        since=instant(anchors[0].at_ms) if anchors else None,
        erased=seen.erased,
        entries=entries,
        findings=tuple(AuditFinding(**asdict(finding)) for finding in findings),
        remarks=tuple(entry(row) for row in seen.remarks),
    )


def _proof(witness: Witness) -> _Proof:
    try:
        told, head = witness.anchors(), witness.head()
        certificates, root = witness.audit_certificates(), witness.certificate()
    except Unavailable:
        raise
    except DoorwardError as error:
        return _Proof((), None, (Finding("anchors", 1, error.problem),))
    good, findings = sound(told, certificates, root)
    if head is not None and not told:
        findings = (Finding("anchors", 1, "the signed anchors are gone"),)
    return _Proof(good, None if head is None else Head(head.count, head.digest), findings)


def sound(
    anchors: tuple[Anchor, ...], certificates: tuple[bytes, ...], root: bytes
) -> tuple[tuple[Anchor, ...], tuple[Finding, ...]]:
    """The anchors that the site signed, and the first one that it did not."""
    good: list[Anchor] = []
    for number, anchor in enumerate(anchors, 1):
        try:
            proofs.check_anchor(anchor, certificates, root)
        except InvalidInput as error:
            detail = f"anchor {number} is none: {error.problem}"
            return tuple(good), (Finding("anchors", anchor.count, detail),)
        good.append(anchor)
    return tuple(good), ()


def _unanchored(store: TrailStore, end: Head) -> list[Finding]:
    """Rows without any anchor. Those of an older version have none until the gateway was started."""
    last = store.page(end.count, end.count)
    if end == ORIGIN or (last and last[0].row.kind == CHAINED):
        return []
    return [Finding("anchors", 1, "the signer has never heard of these rows, or forgot")]


class AuditTrail:
    """Checks and exports, one at a time: each costs as much as thousands of taps."""

    def __init__(
        self,
        store: TrailStore,
        rows: AuditStore,
        witness: Witness,
        announcer: Announcer,
        clock: Clock,
    ) -> None:
        self._store = store
        self._rows = rows
        self._witness = witness
        self._announcer = announcer
        self._clock = clock
        self._busy = asyncio.Lock()

    async def verify(self) -> AuditVerdict:
        """Look at everything."""
        async with self._busy:
            return await asyncio.to_thread(check, self._store, self._witness)

    async def export(
        self, form: str, since: datetime | None, until: datetime | None, *, actor: str
    ) -> Iterator[bytes]:
        """The rows of a time as a file, piece by piece; who takes them along is on record first.

        The iterator is for another thread than the loop's. Raises InvalidInput.
        """
        if since is not None and until is not None and since >= until:
            raise InvalidInput("that time ends before it begins", "swap them", field="since")
        span = tuple(None if one is None else milliseconds(one) for one in (since, until))
        now_ms = milliseconds(self._clock.now())
        first, last = await asyncio.to_thread(self._store.stretch, *span)
        row = AuditRow(
            at_ms=now_ms,
            kind=audit.EXPORTED,
            source=audit.OPERATOR,
            request=f"{first.count + 1}-{last.count}",
            why=f"Rows {first.count + 1} to {last.count} were taken along as {form}.",
            actor=actor,
        )
        self._announcer.announce([await self._rows.append(row)])
        return self._pieces(form, first, last, now_ms)

    def _pieces(self, form: str, start: Head, last: Head, now_ms: int) -> Iterator[bytes]:
        yield export.begin(form)
        # Below the first row there is nothing to take along, but there may be something to find.
        page = self._store.page(start.count + 1 if start.count else -(2**63), last.count)
        whole, finding = start, None
        while page:
            yield export.rows(form, page)
            if finding is None:
                seen = walk(page, whole)
                whole, finding = seen.end, next(iter(seen.findings), None)
            page = self._store.page(page[-1].row.id + 1, last.count)
        yield export.end(form, self._signed(start, last, now_ms, finding))

    def _signed(
        self, start: Head, last: Head, now_ms: int, finding: Finding | None
    ) -> dict[str, Any]:
        proof = _proof(self._witness)
        findings = [*([] if finding is None else [finding]), *proof.findings]
        said = {
            export.TRAILER: export.VERSION,
            "after": _head(start),
            "end": _head(last),
            "exported_ms": now_ms,
            "anchors": [
                one.to_json() for one in proof.anchors if start.count < one.count <= last.count
            ],
            "findings": [{"row": f.row, "kind": f.kind, "detail": f.detail} for f in findings],
        }
        signed = self._witness.sign_export(export.statement(said))
        certificates = [pem.decode("ascii") for pem in signed.certificates]
        return {**said, "signature": signed.signature.hex(), "certificates": certificates}


def _head(head: Head) -> dict[str, Any]:
    return {"row": head.count, "digest": head.digest.hex()}
