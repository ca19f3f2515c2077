"""What waits for a board that has not got its keys yet."""

import base64
from pathlib import Path

from doorward.flash.keys import Waiting
from doorward.flash.wifi import Wifi


def answer(signer: bytes) -> dict[str, object]:
    tls = {"ca.der": base64.b64encode(b"authority").decode()}
    return {"config": {"id": "a"}, "tls": tls, "firmware_key": base64.b64encode(signer).decode()}


def test_a_board_gets_every_file_of_its_adoption_and_its_settings_last(tmp_path: Path) -> None:
    waiting = Waiting(tmp_path / "state" / "a")
    assert not waiting.is_there
    waiting.keep(answer(b"modulus"), Wifi("home", "password"))
    assert waiting.is_there
    files = waiting.files()
    assert files["/tls/ca.der"] == b"authority"
    assert files["/firmware.key"] == b"modulus"
    assert list(files)[-1] == "/config.json"
    assert {path.stat().st_mode & 0o77 for path in waiting.folder.rglob("*")} == {0}


def test_nothing_is_left_of_what_waited_before(tmp_path: Path) -> None:
    waiting = Waiting(tmp_path / "a")
    waiting.keep(answer(b"modulus"), Wifi("home", "password"))
    waiting.keep(answer(b""), Wifi("home", "password"))
    assert set(waiting.files()) == {"/tls/ca.der", "/config.json"}
    waiting.drop()
    assert not waiting.is_there
