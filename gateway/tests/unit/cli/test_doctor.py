"""The doctor finds each fault that a test plants, and nothing where there is none."""

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from doorward.cli import checks
from doorward.cli.root import run
from doorward.database import load_or_create, open_database


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An installation with one database."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    key = load_or_create(home / "keys" / "database.key")
    engine = open_database(home / "gateway.db", key)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")
    engine.dispose()  # closed whenever it is collected, it would take its log from under a test
    return home


def failures(data: Path) -> dict[str, str]:
    return {c.name: c.detail for c in checks.installation(data) if c.state == "FAIL"}


def test_a_sound_installation_passes(data: Path) -> None:
    assert failures(data) == {}
    assert [c.name for c in checks.installation(data)] == ["data", "keys", "gateway.db"]


def test_nothing_set_up_yet_is_no_failure_and_leaves_no_trace(tmp_path: Path) -> None:
    missing = tmp_path / "none"
    assert [c.state for c in checks.installation(missing)] == ["note"]
    assert not missing.exists()


def test_a_key_that_others_can_read_is_named(data: Path) -> None:
    (data / "keys" / "database.key").chmod(0o640)
    assert "0640" in failures(data)["keys"]


def test_a_wrong_key_is_named(data: Path) -> None:
    (data / "keys" / "database.key").write_bytes(bytes(32))
    assert "key does not open" in failures(data)["gateway.db"]


def test_a_missing_key_is_named_and_not_made_anew(data: Path) -> None:
    key = data / "keys" / "database.key"
    key.unlink()
    assert "is missing" in failures(data)["gateway.db"]
    assert not key.exists()


def test_an_open_directory_is_named(data: Path) -> None:
    data.chmod(0o755)
    assert "0755" in failures(data)["data"]


def test_a_directory_that_cannot_be_written_to_is_named(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The tests may run as root, who may write anywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    assert "cannot be written to" in failures(data)["data"]


def test_keys_are_counted_as_people_do(data: Path) -> None:
    said = {c.name: c.detail for c in checks.installation(data)}
    assert said["keys"] == "1 key file, yours alone"


def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        assert checks.port("web", number).state == "FAIL"
    assert checks.port("web", number).state == "ok"


def test_settings_that_make_no_sense_are_named(data: Path) -> None:
    (data / "doorward.toml").write_text("[web]\nprot = 80\n")
    (check,) = checks.settings(data, running=True)
    assert check.state == "FAIL"
    assert "web.prot" in check.detail


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_FULL_MIB", 1 << 60)
    assert checks.disk(tmp_path / "not" / "yet").state == "FAIL"


def test_it_works_while_the_gateway_is_down(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "doorward.toml").write_text("[web]\nport = 0\n[mqtt]\nport = 0\n")  # always free
    assert run(["doctor", "--json", "--data", str(data)]) == 0
    found = {c["name"]: c["state"] for c in json.loads(capsys.readouterr().out)["checks"]}
    assert found["gateway"] == "note"
    assert found["gateway.db"] == found["python"] == found["disk"] == "ok"


def test_a_broker_alone_that_stands_still_is_no_gateway_that_is_missing(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "gateway.db").rename(data / "broker.db")
    (data / "doorward.toml").write_text("[mqtt]\nport = 0\nplain_port = 0\nwebsocket_port = 0\n")
    assert run(["doctor", "--json", "--data", str(data)]) == 0
    found = {c["name"]: c for c in json.loads(capsys.readouterr().out)["checks"]}
    assert (found["broker run"]["state"], found["broker run"]["remedy"]) == (
        "note",
        "`doorward broker run` starts it",
    )
    assert "no gateway" in found["kind"]["detail"]
    assert "gateway" not in found


def test_a_running_gateway_adds_what_it_knows(api: Any, capsys: pytest.CaptureFixture[str]) -> None:
    api.data.chmod(0o700)
    checked = [{"name": "mqtt", "ok": True, "detail": "connected", "remedy": None}]
    health = {"version": "0.1.0", "started_at": "2026-11-21T10:00:00Z", "checks": checked}
    known = {"state": "approved", "online": True, "heard_at": "2026-11-21T10:30:00Z"}
    seen = {**known, "id": "front"}
    lost = {**known, "id": "lamp", "online": False}
    gone = {**known, "id": "stolen", "online": False, "state": "revoked"}
    api.answer("GET", "health", health)
    api.answer("GET", "devices", [seen, gone])
    api.answer("GET", "devices", [seen, gone, lost])
    assert run(["doctor", "--data", str(api.data)]) == 0
    assert f"installation: {api.data}" in (told := capsys.readouterr().out)
    assert "disk" not in told  # the gateway tells about its space itself
    assert "port" not in told
    assert run(["doctor", "--data", str(api.data)]) == 1
    assert "board lamp" in (told := capsys.readouterr().out)
    assert "stolen" not in told


def test_it_tells_whether_systemd_starts_it(tmp_path: Path) -> None:
    units, systemd = tmp_path / "units", tmp_path / "run"
    assert list(checks.service(units, systemd)) == [], "there is no systemd"
    systemd.mkdir()
    assert [check.state for check in checks.service(units, systemd)] == ["note"]
    (units / "multi-user.target.wants").mkdir(parents=True)
    (units / "doorward.service").touch()
    [found] = checks.service(units, systemd)
    assert (found.state, found.remedy) == ("FAIL", "systemctl enable --now doorward")
    (units / "multi-user.target.wants" / "doorward.service").touch()
    assert [check.state for check in checks.service(units, systemd)] == ["ok"]
