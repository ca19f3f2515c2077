"""`doorward doctor NAME`: whom it asks, what it says meanwhile and in the end, and with which exit code."""

import json
from pathlib import Path
from typing import Any

import pytest

from doorward.cli.root import run

BOARD = {"id": "front", "door_id": "entrance", "door_name": "Front door"}
PATH = "devices/front/selftest"
TEST: dict[str, Any] = {
    "id": "cmd_1",
    "device": "front",
    "actor": "local",
    "state": "reading",
    "running": True,
    "began_at": "2026-11-21T10:30:00Z",
    "readings": {},
    "findings": [],
    "unsure": False,
    "note": None,
}
OVER = {**TEST, "state": "done", "running": False, "readings": {"board": {}, "reader": {}}}
SWAPPED = {
    "code": "reader.swapped",
    "what": "The reader answers as soon as MOSI and MISO change places",
    "remedy": "exchange them",
    "sentence": "The reader answers as soon as MOSI and MISO change places: exchange them.",
    "wires": ["reader.mosi"],
}
WEAK = {**SWAPPED, "code": "wifi.weak", "what": "Weak", "remedy": "move", "sentence": "Weak: move."}


@pytest.mark.parametrize("name", ["front", "entrance", "front DOOR"])
def test_a_board_in_order(call: Any, api: Any, name: str) -> None:
    api.answer("GET", "devices", [BOARD])
    api.answer("POST", PATH, TEST, 202)
    api.answer("GET", PATH, {**TEST, "readings": {"board": {}}})
    api.answer("GET", PATH, OVER)
    code, out, err = call("doctor", name)
    assert code == 0
    assert out == "front: all is well; it looked at the board itself, its card reader\n"
    assert err.splitlines() == [
        "front has looked at the board itself",
        "front has looked at its card reader",
    ]
    assert ("POST", f"/api/v1/{PATH}", {"move": False}) in api.asked


def test_the_next_wire_comes_first(call: Any, api: Any) -> None:
    api.answer("GET", "devices", [BOARD])
    api.answer("POST", PATH, {**OVER, "findings": [SWAPPED, WEAK]}, 202)
    code, out, _ = call("doctor", "front")
    assert code == 1
    assert out.splitlines() == [
        "front: The reader answers as soon as MOSI and MISO change places",
        "next: exchange them",
        "then: Weak: move.",
    ]


def test_json_is_the_whole_answer_and_nothing_else(call: Any, api: Any) -> None:
    api.answer("GET", "devices", [BOARD])
    api.answer("POST", PATH, TEST, 202)
    api.answer("GET", PATH, {**OVER, "findings": [SWAPPED]})
    code, out, err = call("doctor", "front", "--json")
    assert (code, err) == (1, "")
    assert json.loads(out)["findings"] == [SWAPPED]


def test_a_lock_is_tried_only_when_that_is_said(call: Any, api: Any) -> None:
    api.answer("GET", "devices", [BOARD])
    api.answer("POST", PATH, TEST, 202)
    api.answer("GET", PATH, {**TEST, "state": "watching"})
    api.answer("GET", PATH, {**TEST, "state": "released"})
    unsure = {**OVER, "readings": {"lock": {}}, "unsure": True, "findings": [WEAK]}
    api.answer("GET", PATH, unsure)
    api.answer("POST", f"{PATH}/heard", {**unsure, "unsure": False, "findings": [SWAPPED]})
    code, out, err = call("doctor", "front", "--move", "--silent")
    assert code == 1
    assert "next: exchange them" in out
    assert "pull at it now" in err
    assert ("POST", f"/api/v1/{PATH}", {"move": True}) in api.asked
    assert ("POST", f"/api/v1/{PATH}/heard", {"click": False}) in api.asked


def test_a_test_that_came_to_nothing_is_one_line(call: Any, api: Any) -> None:
    api.answer("GET", "devices", [BOARD])
    api.answer("POST", PATH, TEST, 202)
    api.answer("GET", PATH, {**OVER, "state": "failed", "note": "no word from front in 25 s; …"})
    code, out, err = call("doctor", "front")
    assert (code, out) == (1, "")
    assert err.splitlines()[-1].startswith("doorward: front: no word from front in 25 s")


def test_what_concerns_a_board_needs_its_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["doctor", "--move", "--data", str(tmp_path)]) == 2
    assert "need the NAME of a board" in capsys.readouterr().err
