"""How the command line ends when nothing answers, or when it is called the wrong way."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from doorward.cli.options import chosen_directory
from doorward.cli.root import run

COMMANDS = [
    ["people", "list"],
    ["door", "list"],
    ["door", "open", "front"],
    ["audit", "list"],
    ["card", "revoke", "a1b2c3d4"],
    ["why", "--card", "a1b2c3d4", "--door", "front"],
    ["lab", "tap", "front", "--card", "member"],
    ["lab", "list"],
    ["device", "list"],
    ["device", "revoke", "front"],
]


@pytest.mark.parametrize("words", COMMANDS)
def test_without_a_gateway_every_command_says_how_to_start_one(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, "--data", str(tmp_path)]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert str(tmp_path) in err
    assert ("doorward demo" if words[0] == "lab" else "doorward up") in err


def test_a_demo_that_runs_elsewhere_is_what_was_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (tmp_path / "doorward").mkdir()  # what one `doorward up` leaves
    demo = tmp_path / "doorward-demo"
    (demo / "run").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(demo / "run" / "api.sock"))
        assert run(["audit", "list"]) == 3
        assert "a demo runs" not in capsys.readouterr().err  # its socket's file alone is no demo
        listener.listen()
        assert run(["audit", "list"]) == 3
        assert f"a demo runs; use --data {demo}\n" in capsys.readouterr().err


def test_who_named_a_directory_is_not_told_to_name_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    site, gone = tmp_path / "site", tmp_path / "stie"
    site.mkdir()
    live = tmp_path / "doorward"
    remedies = {
        (): f"{live}; start it with `doorward up`, or a demo with `doorward demo`, or name another with --data",
        ("--data", str(site)): f"{site}; start it with `doorward up --data {site}`",
        (
            "--data",
            str(gone),
        ): f"{gone}; there is no such directory; look at what you gave as --data",
    }
    for options, said in remedies.items():
        assert run(["audit", "list", *options]) == 3
        assert capsys.readouterr().err == f"doorward: no gateway runs in {said}\n"


def test_with_json_the_error_is_json_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["door", "list", "--json", "--data", str(tmp_path)]) == 3
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "not_running"


@pytest.mark.parametrize(
    "words",
    [["people", "add"], ["door", "shut", "front"], ["audit", "list", "--limit", "0"], ["nonsense"]],
)
def test_a_wrong_call_is_one_line_and_exit_2(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "--help" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--json", "door", "list"], "put --json after the command"),
        (["people", "--data", "x", "list"], "put --data after the command"),
        (["up", "--port-base", "abc"], "'--port-base': give a number from 1 to 65532"),
        (["up", "--port-base", "70000"], "'--port-base': give a number from 1 to 65532"),
        (["door", "list", "--data", __file__], "'--data':"),
    ],
)
def test_an_error_names_what_is_wrong(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    err = capsys.readouterr().err
    assert says in err
    assert "DOORWARD_DATA" not in err


def test_the_environment_is_blamed_when_it_is_to_blame(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOORWARD_DATA", __file__)
    assert run(["door", "list"]) == 2
    assert "DOORWARD_DATA:" in capsys.readouterr().err


def test_help_and_version_end_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    assert run(["--version"]) == 0
    assert "doorward 0." in capsys.readouterr().out


def test_help_waits_for_no_heavy_import() -> None:
    heavy = "{'httpx', 'sqlalchemy', 'pydantic', 'fastapi', 'asyncio'} & set(sys.modules)"
    code = f"import sys; from doorward.cli.root import run; run(['--help']); print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -m doorward --help | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert "Traceback" not in done.stderr


def test_a_demo_is_meant_only_where_no_gateway_was_ever_set_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    live, demo = tmp_path / "doorward", tmp_path / "doorward-demo"
    assert chosen_directory(None) == live
    (demo / "run").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(demo / "run" / "api.sock"))
        assert chosen_directory(None) == demo
        live.mkdir()
        assert chosen_directory(None) == live
        assert chosen_directory(None, demo=True) == demo
        assert chosen_directory(tmp_path / "other", demo=True) == tmp_path / "other"
