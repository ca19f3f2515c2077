"""`doorward audit verify` and `export`: what is asked, what is printed, and how it ends."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from doorward.cli.root import run

GOOD = {
    "ok": True, "first": 1, "last": 2500, "proven": 2500, "anchors": 3, "since": "2026-11-21T10:30:00Z", "erased": 0,
    "entries": 12, "findings": [], "remarks": [],
}  # fmt: skip
FINDING = {"kind": "edited", "row": 7, "detail": "it is \x1b[2J", "device": None, "until": None}


@pytest.fixture
def call(api: Any, capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*words: str) -> tuple[int, str, str]:
        code = run(["audit", *words, "--data", str(api.data)])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_a_whole_audit_ends_with_0(api: Any, call: Any) -> None:
    api.answer("GET", "audit/verify", GOOD)
    code, out, err = call("verify")
    assert (code, err) == (0, "")
    assert "2500 rows are whole" in out
    assert any(
        line.startswith("proven up to row 2500 by signed anchors: 3 since")
        for line in out.splitlines()
    )


def test_a_bad_row_is_named_and_ends_with_1(api: Any, call: Any) -> None:
    log = {"kind": "deleted", "row": 3, "detail": "missing", "device": "front", "until": None}
    bad = {**GOOD, "ok": False, "last": 6, "findings": [FINDING, {**FINDING, "until": 9}, log]}
    api.answer("GET", "audit/verify", bad)
    code, out, _ = call("verify")
    assert code == 1
    assert "FAIL row 7, edited" in out
    assert "FAIL row 7 to 9" in out
    assert "FAIL entry 3 of front's log" in out
    assert "\x1b" not in out
    code, out, _ = call("verify", "--json")
    assert (code, json.loads(out)["findings"][0]["row"]) == (1, 7)


def test_an_export_is_a_file_for_its_owner(api: Any, call: Any, tmp_path: Path) -> None:
    api.answer("GET", "audit/export", b"rows")
    target = tmp_path / "audit.csv"
    code, _, err = call("export", "--format", "csv", "--since", "2026-11-21", "--out", str(target))
    assert (code, err) == (0, "")
    assert target.read_bytes() == b"rows"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert "format=csv&since=2026-11-2" in api.asked[0][1]


def test_a_refused_export_leaves_the_former_file(api: Any, call: Any, tmp_path: Path) -> None:
    error = {"error": {"code": "invalid", "message": "that time ends before it begins"}}
    api.answer("GET", "audit/export", error, 422)
    target = tmp_path / "audit.jsonl"
    target.write_bytes(b"former")
    code, _, err = call("export", "--out", str(target))
    assert (code, err) == (1, "doorward: that time ends before it begins\n")
    assert [path.name for path in tmp_path.glob("*audit*")] == ["audit.jsonl"]
    assert target.read_bytes() == b"former"
    code, _, err = call("export", "--out", str(tmp_path / "nowhere" / "x"))
    assert code == 1
    assert "cannot be written" in err


def test_a_file_and_the_ca_belong_together(call: Any, tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    assert call("verify", str(tmp_path / "x"))[0] == 2
    assert call("verify", "--ca", str(tmp_path / "x"))[0] == 2
    code, out, err = call("verify", str(tmp_path / "x"), "--ca", str(tmp_path / "x"), "--json")
    assert (code, err) == (1, "")
    assert json.loads(out)["findings"][0]["kind"] == "truncated"


def test_of_nothing_offline_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["audit", "verify", "--offline", "--data", str(tmp_path / "none")])
    assert code == 1
    assert "there is no installation" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
