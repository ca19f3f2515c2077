"""What a profile compiles to: what the firmware itself accepts, under both interpreters."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from stage.boards import FOLDER, NAMES

from doorward import boards
from doorward.adapters.boards import load_profile
from doorward.boards.roles import NEEDED
from doorward.data import data_root
from doorward.errors import InvalidInput, NotFound

FIRMWARE = data_root() / "firmware"
CHECK = """
import json, sys
sys.path.insert(0, sys.argv[1])
from doorward_node import config, config_pins
try:
    with open(sys.argv[2]) as file:
        told = json.load(file)
    config_pins.check(told["pins"])
    config.check(told, True)
    print("fine")
except config.ConfigError as error:
    print("refused", error)
"""
INTERPRETERS = [sys.executable, str(Path(sys.executable).with_name("micropython"))]
REST = {
    "id": "side",
    "base": "doorward",
    "broker": {"host": "192.168.1.20", "port": 8883},
    "secret": "ab" * 32,
    "key": "cd" * 32,
    "key_epoch": 1,
    "door": {"strike_s": 5, "cap_s": 10, "held_s": 30},
    "poll_ms": 50,
}


def firmware_says(interpreter: str, config: object, tmp_path: Path) -> str:
    (tmp_path / "check.py").write_text(CHECK)
    (tmp_path / "config.json").write_text(json.dumps(config))
    arguments = [tmp_path / "check.py", FIRMWARE, tmp_path / "config.json"]
    done = subprocess.run(
        [interpreter, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


@pytest.mark.parametrize("interpreter", INTERPRETERS, ids=["cpython", "micropython"])
@pytest.mark.parametrize("name", NAMES)
def test_the_firmware_accepts_it(name: str, interpreter: str, tmp_path: Path) -> None:
    compiled = boards.compiled(boards.load(FOLDER, name))
    said = firmware_says(interpreter, {**REST, **compiled}, tmp_path)
    # Every part passes; a role is refused only where the firmware has no program for it yet.
    known = json.loads(firmware_says_roles(interpreter))
    if compiled["role"] in known:
        assert said == "fine"
    else:
        assert said.startswith("refused role: this firmware has a program for ")


def firmware_says_roles(interpreter: str) -> str:
    code = f"import sys, json; sys.path.insert(0, {str(FIRMWARE)!r})\n"
    code += "from doorward_node import config; print(json.dumps(sorted(config.ROLES)))"
    done = subprocess.run([interpreter, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("interpreter", INTERPRETERS, ids=["cpython", "micropython"])
def test_the_firmware_would_say_so(interpreter: str, tmp_path: Path) -> None:
    compiled = boards.compiled(boards.load(FOLDER, "door-esp32"))
    compiled["pins"]["strike"]["active"] = 2
    said = firmware_says(interpreter, {**REST, **compiled}, tmp_path)
    assert said == "refused pins.strike.active: need a whole number from 0 to 1"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_for_people_stays_off_the_board(name: str) -> None:
    compiled = boards.compiled(boards.load(FOLDER, name))
    assert set(compiled) == {"role", "pins"}
    for part in compiled["pins"].values():
        assert not {"note", "resistor"} & set(part)
        assert None not in part.values()


def test_a_role_needs_on_paper_what_its_program_needs() -> None:
    # Otherwise a board could be given keys that its firmware refuses to start with.
    code = f"import sys, json; sys.path.insert(0, {str(FIRMWARE)!r})\n"
    code += "from doorward_node import config; print(json.dumps(config.ROLES))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for role, parts in json.loads(done.stdout).items():
        assert [" or ".join(group) for group in NEEDED[role]] == parts


@pytest.mark.parametrize("name", NAMES)
def test_there_is_a_driver_for_every_part(name: str) -> None:
    drivers = {path.stem for path in (FIRMWARE / "doorward_drivers").glob("*.py")}
    named = {"rex": "debounce", "button": "debounce", "tamper": "debounce", "matrix": "keypad"}
    for part, settings in boards.compiled(boards.load(FOLDER, name))["pins"].items():
        driver = settings.get("driver", part)
        assert named.get(driver, driver) in drivers, part


def test_the_cap_of_the_lock_is_the_boards() -> None:
    assert load_profile(FOLDER, "door-esp32").cap_ms == 10_000
    assert "cap_s" not in load_profile(FOLDER, "door-esp32").pins["strike"]
    assert load_profile(FOLDER, "vault-esp32-s3").pins["padlock"]["pulse_ms"] == 1000


def test_nobody_is_given_keys_for_a_wiring_that_would_not_work(tmp_path: Path) -> None:
    good = (FOLDER / "door-esp32.toml").read_text()
    (tmp_path / "mine.toml").write_text(good.replace("pin = 25", "pin = 34"))
    with pytest.raises(InvalidInput, match=r"mine: strike\.pin: GPIO 34 can only be read"):
        load_profile(tmp_path, "mine")
    with pytest.raises(NotFound, match="known: mine"):
        load_profile(tmp_path, "yours")


@pytest.mark.parametrize(
    ("text", "why"),
    [("strike = ", "no TOML"), ("\xff", "not UTF-8")],
)
def test_a_file_that_is_none(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InvalidInput, match=why) as wrong:
        boards.read(path)
    assert str(path) in wrong.value.message
