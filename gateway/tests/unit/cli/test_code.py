"""`doorward code` and `why --code`: no code is an argument, and none is told but the one that was just made."""

import json
from pathlib import Path
from typing import Any

import pytest

CARD = {
    "id": 3,
    "tail": "code",
    "person": "Maya",
    "revoked": False,
    "added_at": "2026-11-21T10:30:00Z",
}
WHY = {
    "verdict": "grant",
    "rule": 11,
    "rule_name": "granted",
    "sentence": "Maya may always pass Front door.",
    "steps": [],
    "person": "Maya",
    "card_tail": "code",
    "door_id": "front",
    "door_name": "Front door",
    "at": "2026-11-21T10:30:00Z",
}


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "code"
    path.write_text("471108\n")
    return str(path)


def test_a_code_from_a_file_is_not_told(api: Any, call: Any, file: str) -> None:
    api.answer("POST", "codes", {**CARD, "code": None})
    told = call("code", "add", "Maya", "--code-file", file)
    assert told == (0, "Maya has a code from now on\n", "")
    assert api.asked == [("POST", "/api/v1/codes", {"person": "Maya", "code": "471108"})]


def test_a_made_code_is_shown_once(api: Any, call: Any) -> None:
    api.answer("POST", "codes", {**CARD, "code": "620953"})
    text = "Maya has the code 620953; it is not shown again\n"
    assert call("code", "add", "Maya", "--generate") == (0, text, "")
    assert api.asked[0][2] == {"person": "Maya", "code": None}
    _, out, _ = call("code", "add", "Maya", "--generate", "--json")
    assert json.loads(out)["code"] == "620953"


def test_without_a_terminal_the_way_out_is_named(
    api: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doorward.cli.secret._has_terminal", lambda: False)
    status, _, error = call("code", "add", "Maya")
    assert (status, error.count("\n")) == (1, 1)
    assert "use --code-file FILE, or - for stdin" in error
    assert api.asked == []


def test_no_code_is_an_argument(api: Any, call: Any, file: str) -> None:
    assert call("code", "add", "Maya", "471108")[0] == 2
    assert call("code", "add", "Maya", "--generate", "--code-file", file)[0] == 2
    assert call("why", "--code", "471108", "--door", "front")[0] == 2
    assert api.asked == []


def test_all_codes_of_somebody_are_revoked(api: Any, call: Any) -> None:
    api.answer("POST", "codes/revoke", [{**CARD, "revoked": True}])
    assert call("code", "revoke", "Maya") == (0, "Maya has no code any more\n", "")


def test_why_asks_with_a_body_for_addresses_are_logged(api: Any, call: Any, file: str) -> None:
    api.answer("POST", "why", WHY)
    order = {"code": "471108", "door": "front", "at": None}
    for words in (("--code", "--code-file", file), ("--code-file", file)):
        status, out, _ = call("why", *words, "--door", "front")
        assert (status, out.splitlines()[0]) == (0, "Front door opens for that code (Maya)")
        assert api.asked.pop() == ("POST", "/api/v1/why", order)
    assert call("why", "--code-file", file, "--card", "04a1b2c3", "--door", "front")[0] == 2
    assert call("why", "--code", "--card", "04a1b2c3", "--door", "front")[0] == 2
