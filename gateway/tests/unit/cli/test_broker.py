"""`doorward broker`: what is asked of the gateway."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from demos import PYTHON

from doorward.cli.client import Api

TEACHER = {
    "name": "teacher1",
    "roles": ["Teacher"],
    "connections": 2,
    "needs_password": False,
    "certificate": "",
}


def test_users_are_added_listed_changed_and_removed(
    api: Any, call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.answer("POST", "broker/users/check", b"", 204)
    api.answer("POST", "broker/users", TEACHER, 201)
    api.answer("GET", "broker/users", [TEACHER])
    api.answer("POST", "broker/users/teacher1/password", TEACHER)
    api.answer("POST", "broker/users/teacher1/roles", {**TEACHER, "roles": []})
    api.answer("POST", "broker/users/teacher1/remove", b"", 204)
    path = tmp_path / "password"
    path.write_text("correct horse battery\n")
    add = ("broker", "users", "add", "teacher1", "--role", "Teacher")
    assert call(*add, "--password-file", str(path)) == (0, "teacher1 may connect, as Teacher\n", "")
    monkeypatch.setenv("DOORWARD_PASSWORD", "staple")
    assert call("broker", "users", "passwd", "teacher1")[:2] == (
        0,
        "teacher1 has a new password\n",
    )
    assert call("broker", "users", "list")[1].split()[-4:] == ["teacher1", "Teacher", "2", "-"]
    assert json.loads(call("broker", "users", "list", "--json")[1]) == [TEACHER]
    assert call("broker", "users", "roles", "teacher1")[1] == "teacher1 is known with no role now\n"
    assert call("broker", "users", "remove", "teacher1")[:2] == (
        0,
        "teacher1 may no longer connect\n",
    )
    assert [asked[2] for asked in api.asked if asked[0] == "POST"][:3] == [
        {"name": "teacher1", "roles": ["Teacher"]},
        {"name": "teacher1", "roles": ["Teacher"], "password": "correct horse battery"},
        {"password": "staple"},
    ]


def test_a_name_that_cannot_be_is_said_before_a_password_is_asked_for(
    api: Any, call: Any, tmp_path: Path
) -> None:
    error = {
        "code": "conflict",
        "message": "teacher1 is the name of a user already",
        "field": "name",
    }
    api.answer("POST", "broker/users/check", {"error": error}, 409)
    missing = tmp_path / "none"  # it would be named if anybody looked for a password
    told = call("broker", "users", "add", "teacher1", "--password-file", str(missing))
    assert told[0] != 0
    assert "name of a user already" in told[2]


def test_without_a_terminal_it_is_said_where_a_password_may_come_from(api: Any) -> None:
    api.answer("POST", "broker/users/check", b"", 204)
    words = [*PYTHON, "broker", "users", "add", "sam", "--data", str(api.data)]
    alone = subprocess.run(
        words,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=60,
    )
    assert alone.returncode == 1
    assert alone.stderr.count("\n") == 1
    assert "no password, and no terminal to ask for it; use" in alone.stderr
    assert "--password-file FILE, - for stdin, or DOORWARD_PASSWORD" in alone.stderr


def test_who_needs_a_password_at_mosquitto_is_said(api: Any, call: Any) -> None:
    waiting = {**TEACHER, "connections": None, "needs_password": True, "certificate": "5ef1"}
    api.answer("GET", "broker/users", [waiting])
    waits = call("broker", "users", "list")[1].splitlines()[1:]
    assert waits == [
        "teacher1  Teacher  -            5ef1",
        "teacher1 cannot come in: run `doorward broker users passwd teacher1`",
    ]
    api.answer(
        "POST",
        "broker/mosquitto/sync",
        {"wanted": 3, "changed": [], "need_password": ["teacher1"]},
    )
    assert call("broker", "mosquitto", "sync")[1] == "3 accounts, 0 changes\n" + waits[1] + "\n"


def test_what_a_broker_alone_does_not_have_is_told_as_that(api: Any, call: Any) -> None:
    message = "not found; check the address"
    api.answer("GET", "doors", {"error": {"code": "not_found", "message": message}}, 404)
    assert call("door", "list")[2] == f"doorward: {message}\n"
    (api.data / "broker.db").touch()
    code, _, error = call("door", "list")
    assert (code, error.count("\n")) == (1, 1)
    assert "a broker runs alone, without doors" in error


def test_a_broker_that_loads_its_api_when_it_is_asked_is_given_time(tmp_path: Path) -> None:
    (tmp_path / "broker.db").touch()
    with_time = Api(tmp_path)._http.timeout.read
    (tmp_path / "gateway.db").touch()
    assert (with_time, Api(tmp_path)._http.timeout.read) == (60, 10)
