"""Follows the audit's chain from row to row, and says at which row it is broken, and how.

The chain alone shows what was changed, removed or put in between. That rows at the end are gone, or that everything
was computed anew, only shows against what is kept elsewhere: anchors, and the head as the signer has it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from doorward.domain.audit import BROKEN, ERASED, RESTORED, UNPROVEN, AuditRow
from doorward.domain.audit_chain import ORIGIN, Head, Link, computed, continues

Kind = Literal[
    "edited",
    "deleted",
    "inserted",
    "reordered",
    "truncated",
    "rewritten",
    "erased",
    "anchors",
    "signature",
]
_LOWEST = -(2**63)  # the smallest number that a row can have
_WINDOW = 10_000  # rows after a break that are searched for the one that belongs there


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and the first row that is.

    until: the first one lies between `row` and this one; what is known does not say where. device: `row` is the number
    of an entry in that board's log.
    """

    kind: Kind
    row: int
    detail: str
    device: str | None = None
    until: int | None = None


@dataclass(slots=True)
class Walked:
    """What a walk has seen.

    end: the last row that is whole. proven: the last row that an anchor confirms. remarks: rows in which the gateway
    says that a backup was restored, or that it could not anchor some rows in time.
    """

    end: Head
    proven: Head = ORIGIN
    findings: list[Finding] = field(default_factory=list)
    remarks: list[AuditRow] = field(default_factory=list)
    erased: int = 0


def links(read: Callable[[int], list[Link]], after: int = 0) -> Iterator[Link]:
    """All rows after this one, a page at a time; after 0, also those whose numbers were never given."""
    first = after + 1 if after else _LOWEST
    while rows := read(first):
        yield from rows
        first = rows[-1].row.id + 1


def walk(
    links: Iterable[Link],
    start: Head = ORIGIN,
    *,
    anchors: Iterable[Head] = (),
    head: Head | None = None,
) -> Walked:
    """Check the rows after `start`, in order, against each other, the anchors and the head.

    Anchors that contradict the rows are excused where a restored backup explains them; the head never is: it was
    written after that.
    """
    return _Walk(start, anchors, head).over(iter(links))


class _Walk:
    def __init__(self, start: Head, anchors: Iterable[Head], head: Head | None) -> None:
        self._start, self._head = start, head
        self._anchors: defaultdict[int, set[bytes]] = defaultdict(set)
        for anchor in (*anchors, *(() if head is None else (head,))):
            self._anchors[anchor.count].add(anchor.digest)
        self._missed: list[tuple[int, int]] = []  # (the last row proven before, the anchored row)
        self._gaps: list[tuple[int, int]] = []  # (first row of another past, its last row)
        self._erased: list[tuple[int, int]] = []
        self._announced: list[tuple[int, int, int]] = []  # (first, last, the row that says so)
        self._seen = Walked(start)

    def over(self, links: Iterator[Link]) -> Walked:
        seen = self._seen
        for link in links:
            if not continues(seen.end, link):
                seen.findings.append(_diagnose(seen.end, link, list(islice(links, _WINDOW))))
                return seen
            seen.end = Head(link.row.id, link.digest)
            self._compare(seen.end)
            self._note(link)
        self._conclude()
        return seen

    def _compare(self, here: Head) -> None:
        wanted = self._anchors.get(here.count)
        if wanted is None:
            return
        if here.digest in wanted:
            self._seen.proven = here
        else:
            self._missed.append((self._seen.proven.count, here.count))

    def _note(self, link: Link) -> None:
        row = link.row
        if link.erased is not None:
            self._seen.erased += 1
            if self._erased and self._erased[-1][1] == row.id - 1:
                self._erased[-1] = (self._erased[-1][0], row.id)
            else:
                self._erased.append((row.id, row.id))
        if row.kind == ERASED:
            self._announced.append((*_range(row.request), row.id))
        elif row.kind in (BROKEN, RESTORED, UNPROVEN):
            self._told_of(row, *_range(row.request))

    def _told_of(self, row: AuditRow, first: int, last: int) -> None:
        """The gateway itself found that the rows were not as it had left them."""
        if row.kind == UNPROVEN:
            self._seen.remarks.append(row)
            return
        self._gaps.append((first, last))
        if row.kind == RESTORED:
            self._seen.remarks.append(row)
        else:
            detail = f"the gateway wrote in row {row.id} what it found: {row.why or 'erased'}"
            self._seen.findings.append(Finding("truncated", first, detail))

    def _conclude(self) -> None:
        findings, end = self._seen.findings, self._seen.end
        for proven, anchored in self._missed:
            current = self._head is not None and anchored == self._head.count
            if current or not _within(self._gaps, anchored):
                detail = f"the rows from here to {anchored} are not the ones that were anchored"
                first = max(proven, self._start.count) + 1
                findings.append(Finding("rewritten", first, detail, until=anchored))
                break
        last = 0 if self._head is None else self._head.count
        if last > end.count:
            rows = (
                f"row {last} is" if last == end.count + 1 else f"rows {end.count + 1} to {last} are"
            )
            findings.append(Finding("truncated", end.count + 1, f"{rows} missing at the end"))
        for first, until in self._erased:
            told = [(a, b) for a, b, row in self._announced if row > until]
            if not _within(told, first, until):
                detail = "what names a person is gone, and no row says that it was erased"
                findings.append(Finding("erased", first, detail))
                break
        findings.sort(key=lambda finding: finding.row)


def _within(ranges: Iterable[tuple[int, int]], first: int, last: int | None = None) -> bool:
    last = first if last is None else last
    return any(a <= first and last <= b for a, b in ranges)


def _range(text: str | None) -> tuple[int, int]:
    """The rows that a row is about, written as 3-17."""
    first, _, last = (text or "").partition("-")
    return (int(first), int(last)) if first.isdecimal() and last.isdecimal() else (0, 0)


def _diagnose(before: Head, bad: Link, following: list[Link]) -> Finding:
    """What happened at the first row that does not continue the chain."""
    number = before.count + 1
    if bad.row.id < number:
        return Finding("inserted", bad.row.id, "there never was a row with this number")
    if bad.row.id > number:
        if computed(before.digest, number, bad) == bad.digest:
            return Finding("edited", number, f"it was given the number {bad.row.id}")
        rows = f"rows {number} to {bad.row.id - 1} are" if bad.row.id - 1 > number else "it is"
        return Finding("deleted", number, f"{rows} missing")
    moved = next((link for link in following if _belongs(before, link, bad.digest)), None)
    if moved is not None:
        return _displaced(number, bad, moved, following)
    if following and computed(bad.digest, number + 2, following[0]) == following[0].digest:
        return Finding("deleted", number, "it is missing, and the rows after it were renumbered")
    return Finding("edited", number, "it is not what was written here")


def _displaced(number: int, bad: Link, moved: Link, following: list[Link]) -> Finding:
    """`moved` is what belongs at `number`, where `bad` stands."""
    if moved is following[0] and not _belongs(Head(number, moved.digest), bad, moved.digest):
        return Finding("inserted", number, "it was put in before the row that belongs here")
    return Finding("reordered", number, f"what belongs here stands at row {moved.row.id}")


def _belongs(before: Head, link: Link, digest_there: bytes) -> bool:
    """Whether the link's content follows `before`: its digest came along, or stayed behind."""
    wanted = computed(before.digest, before.count + 1, link)
    return wanted is not None and wanted in (link.digest, digest_there)
