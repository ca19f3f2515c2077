"""`doorward board`: profiles listed, checked and drawn, without a gateway."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from stage.boards import FOLDER, NAMES

from doorward.cli.root import run

# strike.pin on a strapping pin, and miso where mosi is.
TWO_FAULTS = (("pin = 25", "pin = 12"), ("miso = 19", "miso = 23"))


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No installation, and an empty working directory."""
    monkeypatch.setenv("DOORWARD_DATA", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A profile of one's own, with two faults."""
    text = (FOLDER / "door-esp32.toml").read_text()
    for right, wrong in TWO_FAULTS:
        text = text.replace(right, wrong)
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return path


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["board", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == NAMES
    assert run(["board", "list", "--json"]) == 0
    told = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert told["door-esp32-c3"] == {
        "name": "door-esp32-c3",
        "title": "Door on an ESP32-C3",
        "chip": "esp32-c3",
        "role": "door",
        "parts": ["reader", "strike", "contact", "rex", "tamper"],
    }


def test_what_ships_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["board", "lint"]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{name}: fine" for name in NAMES]


def test_every_fault_of_a_file_is_told(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["board", "lint", "door-esp32", str(mine)]) == 1
    fine, *faults = capsys.readouterr().out.splitlines()
    assert fine == "door-esp32: fine"
    moves = "strike.pin: GPIO 12 is a strapping pin and may move while the chip starts"
    assert faults == [
        f"{mine}: reader.miso: GPIO 23 is reader.mosi already; GPIO 4 would do",
        f"{mine}: {moves}; GPIO 19 would do",
    ]


def test_for_programs(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["board", "lint", str(mine), "--json"]) == 1
    (answer,) = json.loads(capsys.readouterr().out)
    assert (answer["profile"], answer["ok"]) == (str(mine), False)
    assert [one["field"] for one in answer["findings"]] == ["reader.miso", "strike.pin"]
    assert answer["findings"][0]["would_do"] == 4


def test_a_word_that_is_wrong_is_a_finding_too(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine.write_text(mine.read_text().replace("cap_s = 10", "cap_s = 100"))
    assert run(["board", "lint", str(mine)]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{mine}: strike.cap_s: 100: should be less than or equal to 60; ")
    mine.write_text("[strike")
    assert run(["board", "lint", str(mine)]) == 1
    assert "no TOML" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["lint", "show"])
def test_what_there_is_not_is_named(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["board", command, "garage"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("doorward: there is no board profile 'garage'; known: combined-esp32,")
    assert run(["board", command, "garage.toml", "--json"]) == 1
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "not_found"


def test_the_wiring_as_a_table_and_a_diagram(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["board", "show", "door-esp32"]) == 0
    out = capsys.readouterr().out
    rows = [line.split() for line in out.splitlines()]
    assert ["Relay", "board", "IN", "GPIO", "25", "teal"] in [row[:6] for row in rows]
    assert "10 kΩ from the pin to GND" in out
    assert "Relay board: A diode across the strike's coil, its stripe to +" in out
    assert out.endswith("the diagram is in door-esp32.svg\n")
    root = ET.fromstring((tmp_path / "door-esp32.svg").read_text())
    words = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"GPIO 25", "Relay board", "10 kΩ", "RC522 card reader"} <= set(words)


def test_the_wiring_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "drawn.svg"
    assert run(["board", "show", "lamp-esp32-c3", "--svg", str(path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["svg"] == str(path)
    button, lamp = answer["parts"]
    assert 5 in [wire["gpio"] for wire in button["wires"]]
    assert [(wire["terminal"], wire["gpio"], wire["rail"]) for wire in lamp["wires"]] == [
        ("IN, warm", 3, None),
        ("IN, cool", 4, None),
        ("GND", None, "GND"),
    ]
    assert lamp["wires"][1]["across"] == ["10 kΩ", "GND"]


def test_what_would_not_work_is_not_drawn(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["board", "show", str(mine)]) == 1
    error = capsys.readouterr().err
    assert "reader.miso: GPIO 23 is reader.mosi already; GPIO 4 would do" in error
    assert not list(tmp_path.glob("*.svg"))


def test_a_place_where_nothing_can_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "none" / "door.svg"
    assert run(["board", "show", "door-esp32", "--svg", str(place)]) == 1
    assert "choose another place with --svg" in capsys.readouterr().err


def test_a_profile_cannot_steer_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "odd.toml"
    text = (FOLDER / "lamp-esp32.toml").read_text()
    path.write_text(text.replace('note = "MOSFETs', 'note = "\\u001b[2J<b>MOSFETs'))
    assert run(["board", "show", str(path)]) == 0
    assert "\x1b" not in capsys.readouterr().out
    ET.fromstring((tmp_path / "odd.svg").read_text())
