"""Exports, and the audit beside a real signer: what was done to a file, to the anchors or to the logs is found."""

import asyncio
import csv
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from bench.audit_tampers import row, unlocked

from doorward.adapters.store import SqlStore, SqlTrail, chain
from doorward.app.access.announcer import Announcer
from doorward.app.audit.export import COLUMNS
from doorward.app.audit.export_check import check_file
from doorward.app.audit.trail import AuditTrail, check
from doorward.app.ports import Clock
from doorward.app.records import LogEntry
from doorward.app.views.audit import AuditVerdict
from doorward.database import for_writing, open_database
from doorward.domain.audit import AuditRow
from doorward.signer import Signer
from doorward_core import seal

KEY = bytes(range(32))
ROWS = 2_500
ODD = (
    "=1+1",
    "+1",
    "-1",
    "@x",
    "'x",
    "",
    "\ttab",
    "\rcr",
    'a "b", c',
    "two\nlines",
    "ÄÖ 字",
    "# x",
)


class Silent:
    def publish(self, *_: object) -> None: ...
    def last(self, *_: object) -> None: ...


class Now:
    def now(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC)


@dataclass(frozen=True)
class Site:
    directory: Path

    @property
    def ca(self) -> bytes:
        return (self.directory / "signer" / "ca.crt").read_bytes()

    def signer(self) -> Signer:
        return Signer(self.directory / "signer")

    @contextmanager
    def trail(self) -> Iterator[SqlTrail]:
        trail = SqlTrail.open(self.directory / "gateway.db", KEY)
        yield trail
        trail.close()

    def checked(self) -> AuditVerdict:
        with self.trail() as trail:
            return check(trail, self.signer())

    def copy(self, target: Path) -> "Site":
        shutil.copytree(self.directory, target)
        return Site(target)

    def sql(self, statement: str, *values: object) -> None:
        engine = open_database(self.directory / "gateway.db", KEY)
        with for_writing(engine).begin() as connection:
            unlocked(chain.driver(connection))
            connection.exec_driver_sql(statement, values)
        engine.dispose()


def log(device: str, entries: int) -> list[LogEntry]:
    made, before = [], seal.CHAIN_START
    for seq in range(1, entries + 1):
        body = b'{"type":"door.open","n":%d}' % seq
        before = seal.chain(before, "0a0b0c0d", seq, body)
        made.append(LogEntry(device, "0a0b0c0d", seq, body, before, 5))
    return made


async def fill(site: Site, form: str = "", target: Path | None = None, **span: datetime) -> None:
    store = SqlStore(site.directory / "gateway.db", KEY, site.signer())
    store.start()
    if target is None:
        for odd in ODD:
            await store.append(AuditRow(5, "odd", "operator", person=odd, note=odd, door_name=odd))
        for device in ("front", "back"):
            for kept in log(device, 5):
                opened = replace(row(10**6 + kept.seq), device=device, kind="door.open")
                store.store_event(kept, [opened] if kept.seq < 5 else [], lambda *_: None)
        await asyncio.gather(*(store.append(row(number)) for number in range(1, ROWS + 1)))
    else:
        announcer = Announcer(Silent(), Silent())  # type: ignore[arg-type]
        trail = AuditTrail(store.trail, store, site.signer(), announcer, cast(Clock, Now()))
        pieces = await trail.export(form, span.get("since"), span.get("until"), actor="sam")
        target.write_bytes(b"".join(pieces))
    await store.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("site") / "d")
    asyncio.run(fill(site))
    return site


@pytest.fixture(scope="module", params=["jsonl", "csv"])
def exported(site: Site, request: pytest.FixtureRequest) -> Path:
    target = site.directory.parent / f"audit.{request.param}"
    asyncio.run(fill(site, request.param, target))
    return target


def first(verdict: AuditVerdict) -> tuple[str, int]:
    assert verdict.findings
    return verdict.findings[0].kind, verdict.findings[0].row


# --- exports ----------------------------------------------------------------------------------------------------


def test_an_untouched_export_needs_the_ca_certificate_alone(site: Site, exported: Path) -> None:
    verdict = check_file(exported, site.ca)
    assert verdict.ok, verdict.findings
    assert verdict.last >= ROWS + len(ODD) + 8
    assert verdict.proven >= 2000


def test_what_is_odd_comes_back_as_it_was(site: Site, exported: Path) -> None:
    assert check_file(exported, site.ca).ok
    if exported.suffix != ".csv":
        said = [json.loads(line) for line in exported.read_text().splitlines()[: len(ODD)]]
        assert [one["person"] for one in said] == list(ODD)
        return
    with exported.open(newline="") as file:
        cells = list(csv.reader(file))
    people = [line[COLUMNS.index("person")] for line in cells[1 : len(ODD) + 1]]
    assert not [cell for cell in people if cell[:1] in set("=+-@\t\r")]
    assert [cell.removeprefix("'") for cell in people] == list(ODD)


def test_of_a_time(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "some.jsonl"
    since, until = (datetime.fromtimestamp(row(n).at_ms / 1000, UTC) for n in (700, 800))
    asyncio.run(fill(site, "jsonl", target, since=since, until=until))
    verdict = check_file(target, site.ca)
    assert verdict.ok, verdict.findings
    assert verdict.last - verdict.first == 99
    lines = [json.loads(line) for line in target.read_text().splitlines()[:-1]]
    assert (lines[0]["at_ms"], lines[-1]["at_ms"]) == (row(700).at_ms, row(799).at_ms)


Change = Callable[[list[bytes]], object]


def edit(line: int, old: bytes, new: bytes) -> Change:
    def do(lines: list[bytes]) -> None:
        assert old in lines[line]
        lines[line] = lines[line].replace(old, new, 1)

    return do


def swap(lines: list[bytes]) -> None:
    lines[99], lines[100] = lines[100], lines[99]


# The header of a CSV is a line too: what is done from line 30 on is named by what it says about rows.
FILE_TAMPERS: dict[str, tuple[Change, str, int | None]] = {
    "edit a name": (edit(100, b"Person ", b"person "), "edited", 100),
    "edit a verdict": (edit(100, b"Person may", b"Person MAY"), "edited", 100),
    "edit a time for people": (edit(100, b"2023-", b"2022-"), "edited", 100),
    "edit a digest": (lambda lines: lines.__setitem__(100, flipped(lines[100])), "edited", 100),
    "delete a row": (lambda lines: lines.pop(100), "deleted", 100),
    "delete the first": (lambda lines: lines.pop(1), "deleted", None),
    "swap rows": (swap, "", 99),
    "double a row": (lambda lines: lines.insert(100, lines[100]), "inserted", 100),
    "a line that is no row": (lambda lines: lines.insert(100, b"hello\r\n"), "", 100),
    "cut the trailer off": (lambda lines: lines.pop(), "truncated", None),
    "cut the end off": (lambda lines: lines.__delitem__(slice(-50, None)), "truncated", None),
    "cut before the trailer": (lambda lines: lines.__delitem__(slice(-50, -1)), "truncated", None),
    "add a row after the trailer": (lambda lines: lines.append(lines[100]), "", None),
    "edit the trailer": (edit(-1, b"exported_ms", b"exported_mS"), "signature", None),
    "edit the signature": (lambda lines: lines.__setitem__(-1, flipped(lines[-1])), "signature", None),
}  # fmt: skip


def flipped(line: bytes) -> bytes:
    """One hex digit of the last long hex word is another one."""
    import re

    word = re.findall(rb"[0-9a-f]{64,}", line)[-1]
    return line.replace(word, word[:-1] + (b"0" if word[-1:] != b"0" else b"1"))


@pytest.mark.parametrize("name", FILE_TAMPERS)
def test_a_changed_file_is_found(site: Site, exported: Path, name: str, tmp_path: Path) -> None:
    do, kind, number = FILE_TAMPERS[name]
    # From here on a line is a row; the odd ones come before.
    lines = exported.read_bytes().splitlines(keepends=True)
    header = next(i for i, line in enumerate(lines) if b"Person 1" in line)
    whole, lines = lines[:header], lines[header:]
    shown = _number(exported, lines[100])
    do(lines)
    changed = tmp_path / exported.name
    changed.write_bytes(b"".join([*whole, *lines]))
    found, at = first(check_file(changed, site.ca))
    assert kind in ("", found), check_file(changed, site.ca).findings
    if number is not None:
        assert at == shown + number - 100


def _number(exported: Path, line: bytes) -> int:
    if exported.suffix == ".csv":
        return int(line.split(b",")[0])
    return int(json.loads(line)["id"])


def test_a_file_that_is_chained_anew_is_not_signed(site: Site, tmp_path: Path) -> None:
    other = site.copy(tmp_path / "other")
    shutil.rmtree(other.directory / "signer")
    target = tmp_path / "forged.jsonl"
    asyncio.run(fill(other, "jsonl", target))
    assert "signature" in {finding.kind for finding in check_file(target, site.ca).findings}
    assert "signature" not in {finding.kind for finding in check_file(target, other.ca).findings}


def test_an_export_of_a_changed_audit_says_so_itself(site: Site, tmp_path: Path) -> None:
    other = site.copy(tmp_path / "other")
    other.sql("UPDATE audit SET person = 'Ana Ruiz' WHERE id = 100")
    target = tmp_path / "audit.jsonl"
    asyncio.run(fill(other, "jsonl", target))
    assert first(check_file(target, site.ca)) == ("edited", 100)


def test_a_key_twice_in_a_line_is_no_row(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "twice.jsonl"
    asyncio.run(fill(site, "jsonl", target))
    lines = target.read_bytes().splitlines(keepends=True)
    lines[99] = lines[99].replace(b'"person":', b'"person":"Ana Ruiz","person":', 1)
    target.write_bytes(b"".join(lines))
    assert first(check_file(target, site.ca)) == ("edited", 100)


# --- anchors ----------------------------------------------------------------------------------------------------


def test_an_installation_that_stands_still_is_whole_and_proven(site: Site) -> None:
    verdict = site.checked()
    assert verdict.ok, verdict.findings
    assert verdict.proven == verdict.last
    assert verdict.anchors >= 3
    assert verdict.entries == 10


ANCHORS = ("signer", "audit.anchors")
HEAD = ("signer", "audit.head")


@pytest.mark.parametrize("name", ["edit", "delete", "shorten", "empty", "head", "both"])
def test_what_is_done_to_the_anchors_is_found(site: Site, name: str, tmp_path: Path) -> None:
    other = site.copy(tmp_path / "other")
    path, head = other.directory.joinpath(*ANCHORS), other.directory.joinpath(*HEAD)
    lines = path.read_bytes().splitlines(keepends=True)
    if name == "edit":
        said = json.loads(lines[1])
        lines[1] = json.dumps({**said, "count": said["count"] + 1}).encode() + b"\n"
        path.write_bytes(b"".join(lines))
    elif name == "shorten":
        path.write_bytes(b"".join(lines[:-1]))
    elif name == "empty":
        path.write_bytes(b"")
    elif name == "head":
        head.write_bytes(bytes(range(256)) * 4)
    else:
        path.unlink()
        if name == "both":
            head.unlink()
    assert first(other.checked())[0] == "anchors"


def test_an_older_copy_of_the_database_is_found(site: Site, tmp_path: Path) -> None:
    other = site.copy(tmp_path / "other")
    older = (other.directory / "gateway.db").read_bytes()
    before = other.checked().last
    asyncio.run(fill(other, "jsonl", tmp_path / "x"))
    (other.directory / "gateway.db").write_bytes(older)
    for file in other.directory.glob("gateway.db-*"):
        file.unlink()
    assert first(other.checked()) == ("truncated", before + 1)
    with other.trail() as trail:
        assert check(trail, other.signer(), restored=True).ok


# --- the boards' logs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ("UPDATE device_event SET body = x'7b7d' WHERE device = 'front' AND seq = 3", 3),
        ("UPDATE device_event SET body = 'text' WHERE device = 'front' AND seq = 3", 3),
        ("UPDATE device_event SET digest = zeroblob(16) WHERE device = 'front' AND seq = 3", 3),
        ("DELETE FROM device_event WHERE device = 'front' AND seq = 1", 1),
        ("DELETE FROM device_event WHERE device = 'front' AND seq = 3", 3),
        ("DELETE FROM device_event WHERE device = 'front' AND seq >= 3", 3),
        ("UPDATE device_event SET device = 'other' WHERE device = 'front'", 1),
        ("UPDATE device_event SET epoch = 'ffffffff' WHERE device = 'front' AND seq = 2", 2),
    ],
)
def test_what_is_done_to_a_log_is_found(
    site: Site, statement: str, seq: int, tmp_path: Path
) -> None:
    other = site.copy(tmp_path / "other")
    other.sql(statement)
    findings = [f for f in other.checked().findings if f.device == "front"]
    assert findings[0].row == seq, findings


def test_a_log_that_is_chained_anew_is_not_what_the_audit_took_up(
    site: Site, tmp_path: Path
) -> None:
    other = site.copy(tmp_path / "other")
    before = seal.CHAIN_START
    for kept in log("front", 5):
        body = b"{}" if kept.seq == 3 else kept.body
        before = seal.chain(before, kept.epoch, kept.seq, body)
        other.sql(
            "UPDATE device_event SET body = ?, digest = ? WHERE device = 'front' AND seq = ?",
            body,
            before,
            kept.seq,
        )
    finding = other.checked().findings[0]
    assert (finding.kind, finding.device, finding.row) == ("rewritten", "front", 3)


def test_a_gap_that_the_audit_tells_of_is_none_to_complain_about(
    site: Site, tmp_path: Path
) -> None:
    other = site.copy(tmp_path / "other")
    gap = LogEntry("front", "0a0b0c0d", 9, b"", bytes(range(16)), 5)
    after = seal.chain(gap.digest, gap.epoch, 10, b"{}")
    told = AuditRow(5, "log.gap", "gateway", device="front")

    async def restore() -> None:
        store = SqlStore(other.directory / "gateway.db", KEY, other.signer())
        store.start()
        store.store_gap(gap, [told], lambda *_: None)
        store.store_event(replace(gap, seq=10, body=b"{}", digest=after), [], lambda *_: None)
        await store.close()

    asyncio.run(restore())
    assert other.checked().ok, other.checked().findings
    values = (b"", bytes(16))
    other.sql(
        "INSERT INTO device_event (device, epoch, seq, body, digest, received_ms) "
        "VALUES ('front', '0a0b0c0d', 20, ?, ?, 5)",
        *values,
    )
    assert [f.row for f in other.checked().findings] == [11]
