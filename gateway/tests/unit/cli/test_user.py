"""`doorward user` and `doorward token`: what is asked of the gateway, and that no secret is ever an argument."""

import json
from pathlib import Path
from typing import Any

import pytest

from doorward.cli import user as user_commands
from doorward.cli.root import root

TESS = {"username": "tess", "role": "Teacher", "second_factor": True, "locked": True}
TOKEN = {
    "id": 3,
    "prefix": "dw_abcdef",
    "owner": "tess",
    "name": "cron",
    "scopes": ["doors.open", "doors.see"],
    "unattended": True,
    "added_at": "2026-11-21T10:30:00Z",
    "expires_at": "2027-02-19T10:30:00Z",
    "used_at": None,
}


def test_a_password_comes_from_a_file_or_the_environment(
    api: Any, call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.answer("POST", "operators", TESS, 201)
    path = tmp_path / "password"
    path.write_text("correct horse battery\nsecond line\n")
    add = ("user", "add", "tess", "--role", "Teacher")
    assert call(*add, "--password-file", str(path)) == (0, "tess may sign in, as Teacher\n", "")
    monkeypatch.setenv("DOORWARD_PASSWORD", "staple")
    assert call(*add)[0] == 0
    assert [asked[2] for asked in api.asked] == [
        {"username": "tess", "role": "Teacher", "password": word}
        for word in ("correct horse battery", "staple")
    ]
    code, _, err = call(*add, "--password-file", str(tmp_path / "none"))
    assert code == 1
    assert "cannot be read" in err


def test_no_command_takes_a_secret_as_an_argument() -> None:
    context = root.make_context("doorward", [], resilient_parsing=True)
    broker = root.get_command(context, "broker")
    for group in (
        root.get_command(context, "user"),
        root.get_command(context, "token"),
        broker.commands["users"],  # type: ignore[union-attr]
    ):
        commands = group.commands  # type: ignore[union-attr]
        for command in commands.values():
            names = {name for option in command.params for name in option.opts}
            assert not names & {"--password", "--token", "password", "token", "--code"}, (
                command.name
            )
    assert user_commands.__doc__


def test_users_are_listed_changed_and_removed(
    api: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOORWARD_PASSWORD", "staple")
    api.answer("GET", "operators", [TESS])
    for what in ("password", "role", "unlock"):
        api.answer("POST", f"operators/t%20s%2Fx/{what}", TESS)
    api.answer("POST", "operators/t%20s%2Fx/remove", None, 204)
    code, out, _ = call("user", "list")
    assert code == 0
    assert out.splitlines()[1].split() == ["tess", "Teacher", "yes", "locked"]
    assert call("user", "passwd", "t s/x")[1] == "tess has a new password\n"
    assert call("user", "role", "t s/x", "Teacher")[1] == "tess is Teacher now\n"
    assert call("user", "unlock", "t s/x")[1] == "tess may try again\n"
    assert call("user", "remove", "t s/x")[1] == "t s/x may no longer sign in\n"
    assert json.loads(call("user", "list", "--json")[1]) == [TESS]


def test_roles_are_shown_and_edited(api: Any, call: Any) -> None:
    guest = {"name": "Guest", "permissions": ["doors.see"]}
    api.answer("GET", "roles", [guest])
    api.answer("POST", "roles/Guest", guest)
    assert call("user", "roles")[1].splitlines()[1].split() == ["Guest", "doors.see"]
    assert call("user", "allow", "Guest", "doors.see")[1] == "Guest may: doors.see\n"
    assert api.asked[-1][2] == {"permissions": ["doors.see"]}


def test_a_new_token_is_alone_on_stdout(api: Any, call: Any) -> None:
    api.answer("POST", "tokens", {**TOKEN, "token": "dw_abcdef-secret"}, 201)
    words = ("token", "add", "tess", "cron", "--scope", "doors.see", "--scope", "doors.open")
    code, out, err = call(*words, "--unattended", "--days", "7")
    assert (code, out) == (0, "dw_abcdef-secret\n")
    assert "not shown again" in err
    assert api.asked[-1][2] == {
        "owner": "tess",
        "name": "cron",
        "scopes": ["doors.see", "doors.open"],
        "days": 7,
        "unattended": True,
    }


def test_tokens_are_listed_and_revoked(api: Any, call: Any) -> None:
    api.answer("GET", "tokens", [TOKEN])
    api.answer("POST", "tokens/3/revoke", TOKEN)
    out = call("token", "list")[1]
    assert "dw_abcdef…" in out
    assert "(unattended)" in out
    assert call("token", "revoke", "3")[1] == "the token cron is revoked\n"
