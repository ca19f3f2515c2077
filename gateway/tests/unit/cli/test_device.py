"""`doorward device`: what is asked, what is written where, and what never shows."""

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from doorward.cli import secret

SECRET = "5e" * 32
BOARD = {
    "id": "side",
    "board": "door-esp32",
    "state": "announced",
    "door_id": None,
    "door_name": None,
    "online": False,
    "firmware": "0.1.0",
    "heard_at": "2026-11-21T10:30:00Z",
    "rejected": 3,
    "adopted_at": "2026-11-21T10:00:00Z",
    "approved_at": None,
    "revoked_at": None,
    "certificate": True,
    "role": "door",
    "name": None,
    "available": None,
    "update": None,
}
ADOPTED = {
    "board": {**BOARD, "state": "waiting"},
    "again": False,
    "config": {"id": "side", "secret": SECRET, "wifi": None},
    "tls": {"ca.der": base64.b64encode(b"\x30ca").decode(), "../../out": "MGs="},
    "firmware_key": "a2V5",
}
CONFLICT = {"error": {"code": "conflict", "message": "side is known; --again", "field": "id"}}


def files(folder: Path) -> dict[str, int]:
    """What lies under a folder, and its mode."""
    return {
        str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode)
        for path in folder.rglob("*")
    }


def test_adopt_writes_files_for_their_owner_alone_and_shows_no_secret(
    call: Any, api: Any, tmp_path: Path
) -> None:
    api.answer("POST", "devices", ADOPTED, 201)
    code, out, err = call("device", "adopt", "side", "--out", str(tmp_path / "boards"))
    assert (code, err) == (0, "")
    assert api.asked == [
        (
            "POST",
            "/api/v1/devices",
            {"id": "side", "board": "door-esp32", "broker": None, "again": False},
        )
    ]
    assert files(tmp_path / "boards") == {
        "side": 0o700,
        "side/config.json": 0o600,
        "side/firmware.key": 0o600,
        "side/tls": 0o700,
        "side/tls/ca.der": 0o600,
        "side/tls/out": 0o600,
    }
    assert json.loads((tmp_path / "boards/side/config.json").read_text()) == ADOPTED["config"]
    assert (tmp_path / "boards/side/tls/ca.der").read_bytes() == b"\x30ca"
    assert f"mpremote fs cp -r {tmp_path}/boards/side/. :" in out
    assert SECRET not in out
    code, out, _ = call("device", "adopt", "side", "--out", str(tmp_path / "more"), "--json")
    assert json.loads(out)["folder"] == f"{tmp_path}/more/side"
    assert SECRET not in out


def test_adopt_never_writes_over_what_is_there(call: Any, api: Any, tmp_path: Path) -> None:
    kept = tmp_path / "side" / "config.json"
    kept.parent.mkdir()
    kept.write_text("the keys of a board on the wall")
    code, _, err = call("device", "adopt", "side", "--out", str(tmp_path), "--again")
    assert code == 1
    assert f"{tmp_path}/side is there already; move it away" in err
    assert api.asked == [], "nothing was changed for keys that could not be kept"
    assert kept.read_text() == "the keys of a board on the wall"


def test_a_refused_adoption_leaves_no_folder(call: Any, api: Any, tmp_path: Path) -> None:
    api.answer("POST", "devices", CONFLICT, 409)
    code, _, err = call("device", "adopt", "side", "--out", str(tmp_path / "boards"))
    assert (code, err) == (1, "doorward: side is known; --again\n")
    assert not (tmp_path / "boards" / "side").exists()


@pytest.mark.parametrize("board_id", ["../up", "a/b", "x" * 33, "", "a b"])
def test_an_id_cannot_lead_elsewhere(call: Any, api: Any, tmp_path: Path, board_id: str) -> None:
    code, _, err = call("device", "adopt", board_id, "--out", str(tmp_path / "boards"))
    assert code == 1
    assert "is no board id" in err
    assert api.asked == []
    assert not (tmp_path / "up").exists()


def test_adopt_again_says_so(call: Any, api: Any, tmp_path: Path) -> None:
    api.answer("POST", "devices", {**ADOPTED, "again": True}, 201)
    _, out, _ = call("device", "adopt", "side", "--out", str(tmp_path), "--again")
    assert "what held its old keys is shut out" in out
    assert api.asked[0][2]["again"] is True


def test_the_password_of_a_network_comes_from_a_file_or_a_prompt_and_stays_here(
    call: Any, api: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.answer("POST", "devices", ADOPTED, 201)
    password = tmp_path / "password"
    password.write_text("hunter2 hunter2\n")
    words = ("device", "adopt", "side", "--wifi", "school")
    file = ("--wifi-password-file", str(password))
    _, out, _ = call(*words, *file, "--out", str(tmp_path / "a"))
    wanted = {"ssid": "school", "password": "hunter2 hunter2"}
    assert json.loads((tmp_path / "a/side/config.json").read_text())["wifi"] == wanted
    monkeypatch.setattr("click.prompt", lambda *_, **how: how["hide_input"] and "asked for")
    monkeypatch.setattr(secret, "_has_terminal", lambda: True)
    call(*words, "--out", str(tmp_path / "b"))
    told = json.loads((tmp_path / "b/side/config.json").read_text())["wifi"]
    assert told == {"ssid": "school", "password": "asked for"}
    assert "hunter2" not in out + json.dumps(api.asked)
    code, _, err = call("device", "adopt", "side", *file)
    assert (code, err.count("\n")) == (2, 1)
    code, _, err = call(*words, "--wifi-password", "hunter2")
    assert code == 2, "there is no such option: the process list shows every argument"


def test_list_shows_states_and_lets_no_board_steer_the_terminal(call: Any, api: Any) -> None:
    hostile = {**BOARD, "id": "front", "door_name": "Front\x1b[2J\u202edoor", "state": "approved"}
    api.answer("GET", "devices", [BOARD, hostile])
    code, out, _ = call("device", "list")
    assert code == 0
    assert [line.split()[:2] for line in out.splitlines()[1:]] == [
        ["side", "announced"],
        ["front", "approved"],
    ]
    assert "Front\\x1b[2J\\u202edoor" in out
    assert json.loads(call("device", "list", "--json")[1]) == [BOARD, hostile]


def test_without_boards_list_says_how_to_get_one(call: Any, api: Any) -> None:
    api.answer("GET", "devices", [])
    assert "doorward device adopt ID" in call("device", "list")[1]


def test_approve_names_the_door(call: Any, api: Any) -> None:
    answer = {**BOARD, "state": "approved", "door_name": "Side door"}
    api.answer("POST", "devices/side/approve", answer)
    words = ("device", "approve", "side", "--door", "Side door", "--strike-s", "7")
    assert call(*words) == (0, "side keeps Side door from now on\n", "")
    assert api.asked[0][2] == {"door": "Side door", "strike_s": 7, "held_s": None}
    assert call("device", "approve", "side")[0] == 2, "a door has to have a name"


def test_revoke_and_rekey(call: Any, api: Any) -> None:
    api.answer("POST", "devices/side/revoke", {**BOARD, "state": "revoked", "door_name": "Side"})
    api.answer("POST", "devices/side/rekey", {"id": "side", "epoch": 2})
    _, out, _ = call("device", "revoke", "side")
    assert out == "side is shut out; Side has no board until another is approved for it\n"
    assert call("device", "rekey", "side") == (0, "side uses key number 2\n", "")


def test_flight_shows_the_newest_recording_of_that_board_in_order(call: Any, api: Any) -> None:
    def row(device: str, why: str, note: str, kind: str = "board.flight") -> dict[str, Any]:
        return {"kind": kind, "device": device, "why": why, "note": note}

    newest_first = [
        row("side", "…, part 2 of 2.", "0:02 c; 0:03 d"),
        row("back", "…, part 1 of 1.", "0:09 x"),
        row("side", "", "", "boot"),
        row("side", "…, part 1 of 2.", "0:00 a; 0:01 b"),
        row("side", "…, part 1 of 1.", "0:00 older"),
    ]
    api.answer("GET", "audit", newest_first)
    assert call("device", "flight", "side") == (0, "0:00 a\n0:01 b\n0:02 c\n0:03 d\n", "")
    _, out, _ = call("device", "flight", "roof")
    assert out.startswith("no recording of roof")


def an_update(board: str, state: str, reason: str = "", percent: int = 0) -> dict[str, object]:
    said = {"device": board, "version": "0.2.0", "state": state, "meaning": reason}
    return {**said, "percent": percent, "actor": "ada", "rollout": 7, "changed_at": None}


def test_an_update_is_followed_to_its_end(call: Any, api: Any) -> None:
    api.answer("POST", "updates", [an_update("side", "waiting")], 202)
    other = {**an_update("yard", "refused"), "rollout": 6}
    for state in ("offered", "installed", "confirmed"):
        api.answer("GET", "updates", [an_update("side", state), other])
    assert call("device", "update", "side") == (0, "side runs firmware 0.2.0\n", "")
    assert api.asked[0][2] == {"devices": ["side"], "version": None}
    assert len(api.asked) == 4


def test_an_update_that_fails_says_where_and_why(call: Any, api: Any) -> None:
    api.answer("POST", "updates", [an_update("a", "waiting"), an_update("b", "waiting")], 202)
    ended = [an_update("a", "rolled back", "it hung"), an_update("b", "stopped", "a: it hung")]
    api.answer("GET", "updates", ended)
    code, out, _ = call("device", "update", "--all", "--version", "0.2.0")
    assert api.asked[0][2] == {"devices": None, "version": "0.2.0"}
    assert (code, out.splitlines()) == (
        1,
        [
            "a went back to the firmware before 0.2.0: it hung",
            "b keeps its firmware: a: it hung",
        ],
    )
    code, out, _ = call("device", "update", "--all", "--json")
    assert (code, json.loads(out)) == (1, ended)


def test_an_update_of_boards_that_all_have_it_is_no_failure(call: Any, api: Any) -> None:
    said = "every board that is online runs firmware 0.2.0, or is being updated; there is nothing to do"

    def refused(code: str) -> None:
        error = {"code": code, "message": said, "field": None}
        api.answer("POST", "updates", {"error": error}, 409)

    refused("nothing_to_do")
    refused("nothing_to_do")
    refused("conflict")
    assert call("device", "update", "--all") == (0, said + "\n", "")
    assert call("device", "update", "--all", "--json") == (0, "[]\n", "")
    assert call("device", "update", "--all") == (1, "", f"doorward: {said}\n")


def test_an_update_is_called_back(call: Any, api: Any) -> None:
    api.answer("POST", "updates/cancel", [an_update("side", "cancelled", "by ada")])
    told = "side keeps its firmware, cancelled by ada\n"
    assert call("device", "update", "side", "--cancel") == (0, told, "")
    assert api.asked[-1][-1] == {"devices": ["side"]}
    api.answer("POST", "updates/cancel", [an_update("side", "cancelled", "by ada")])
    code, out, _ = call("device", "update", "--all", "--cancel", "--json")
    assert (code, json.loads(out)[0]["state"]) == (0, "cancelled")
    assert api.asked[-1][-1] == {"devices": None}
    assert call("device", "update", "--all", "--cancel", "--version", "0.2.0")[0] == 2


def test_an_update_names_boards_or_all_and_need_not_be_waited_for(call: Any, api: Any) -> None:
    assert call("device", "update")[0] == 2
    assert call("device", "update", "side", "--all")[0] == 2
    assert api.asked == []
    api.answer("POST", "updates", [an_update("side", "waiting")], 202)
    code, out, _ = call("device", "update", "side", "--no-wait")
    assert (code, out) == (0, "side waits for the boards before it\n")


def test_the_list_names_newer_firmware(call: Any, api: Any) -> None:
    api.answer("GET", "devices", [{**BOARD, "available": "0.2.0"}])
    assert "0.1.0, 0.2.0 is newer" in call("device", "list")[1]
