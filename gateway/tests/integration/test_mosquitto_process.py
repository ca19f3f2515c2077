"""`doorward broker mosquitto setup|start|stop|restart|status|logs` with Debian's Mosquitto, and others' left alone."""

import asyncio
import io
import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from forked import run
from mosquittos import PATIENCE_S, Site, foreign, site
from ports import free_port_base
from stage.house import furnish

from doorward.adapters.mosquitto import accounts, installed
from doorward.adapters.mosquitto.dynsec import talk
from doorward.cli import root
from doorward.cli.checks import settings


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path / "a site") as made:
        yield made


def test_three_listeners_answer_and_status_is_the_truth(ours: Site) -> None:
    before = ours.run("status", "--json")
    assert before.returncode == 1
    assert json.loads(before.stdout)["running"] is False
    pid = ours.ask("start")["pid"]
    seen = ours.ask("status")
    assert seen["ok"]
    assert seen["pid"] == pid
    assert {name: one["answers"] for name, one in seen["listeners"].items()} == {
        "mqtts": True,
        "mqtt": True,
        "websocket": True,
    }
    again = ours.run("start")
    assert again.returncode == 1
    assert again.stderr == (
        f"doorward: Mosquitto runs already (process {pid}); there is nothing to do\n"
    )
    other = ours.ask("restart")["pid"]
    assert other != pid
    os.kill(other, signal.SIGKILL)
    wait_until_gone(other)
    assert ours.run("status").returncode == 1, "killed, whatever its pid file says"
    assert ours.ask("stop") == {"stopped": False}
    assert ours.ask("start")["pid"] != other
    assert ours.ask("stop") == {"stopped": True}
    assert ours.run("status").returncode == 1


def test_its_files_are_for_their_owner_and_no_secret_is_in_sight(ours: Site) -> None:
    pid = ours.ask("start")["pid"]
    secret = (ours.files / "control.secret").read_text().strip()
    assert len(secret) == 64
    for path in ours.files.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
        if path.is_file() and path.name != "control.secret":
            assert secret.encode() not in path.read_bytes(), path
    assert secret.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
    assert secret.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
    ours.ask("status")
    log = ours.ask("logs", "--limit", "100")["lines"]
    assert any("New client connected" in line for line in log)
    assert secret not in "".join(log)


def test_a_directory_that_setup_makes_is_for_its_owner(tmp_path: Path) -> None:
    data = tmp_path / "new" / "d"
    words = ("broker", "mosquitto", "setup", "--port-base", str(free_port_base()))
    done = run([*words, "--data", str(data)])
    assert done.returncode == 0, done.stderr
    assert data.stat().st_mode & 0o077 == 0


def test_setup_again_keeps_accounts_unless_they_are_to_go(ours: Site) -> None:
    ours.ask("start")
    running = ours.run("setup")
    assert running.returncode == 1
    assert "stop it first with `doorward broker mosquitto stop`" in running.stderr
    secret = accounts.load(ours.files / "control.secret")
    with talk(ours.port_base + 2, secret) as control:
        control.command({"command": "createClient", "username": "somebody", "password": "x" * 32})
    ours.ask("stop")
    own = ours.files / "conf.d" / "own.conf"
    own.write_text("max_keepalive 600\n")
    ours.ask("setup")
    ours.ask("start")
    with talk(ours.port_base + 2, secret) as control:
        assert "somebody" in {one["username"] for one in control.listed("listClients", "clients")}
    ours.ask("stop")
    ours.ask("setup", "--again")
    ours.ask("start")
    fresh = accounts.load(ours.files / "control.secret")
    assert fresh != secret
    with talk(ours.port_base + 2, fresh) as control:
        assert [one["username"] for one in control.listed("listClients", "clients")] == [
            accounts.CONTROL
        ]
    assert own.exists()


def test_somebody_elses_mosquitto_is_never_touched(ours: Site, tmp_path: Path) -> None:
    with foreign(tmp_path / "theirs", ours.port_base + 2) as theirs:
        refused = ours.run("start")
        assert refused.returncode == 1
        assert refused.stderr == (
            f"doorward: port {ours.port_base + 2} (mqtt) is in use: another Mosquitto, or doorward's own broker; "
            "stop what holds it, or choose another in [mqtt] and run setup again\n"
        )
        # Even with its number in our pid file.
        (ours.files / "mosquitto.pid").write_text(f"{theirs.pid}\n")
        assert ours.ask("stop") == {"stopped": False}
        assert ours.run("status").returncode == 1, "a port that answers is not yet ours"
        time.sleep(0.2)
        assert theirs.poll() is None
        # The positive control: beside it, ours does start and end.
        ours.configure(free_port_base())
        ours.ask("setup")
        ours.ask("start")
        ours.ask("stop")
        assert theirs.poll() is None
    assert theirs.returncode is not None


def test_what_mosquitto_does_not_like_is_said_in_one_line(ours: Site) -> None:
    (ours.files / "conf.d" / "own.conf").write_text("no_such_setting 1\n")
    failed = ours.run("start")
    assert failed.returncode == 1
    assert "Unknown configuration variable" in failed.stderr
    assert failed.stderr.count("\n") == 1
    assert ours.run("status").returncode == 1


def test_a_mosquitto_without_its_plugin_does_not_count_as_started(
    ours: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken away after the setup, with its package or by an update of the machine."""
    configuration = ours.files / "mosquitto.conf"
    as_it_was = configuration.read_text()
    configuration.write_text(as_it_was.replace(installed._PLUGIN, "gone.so"))
    failed = ours.run("start")
    assert (failed.returncode, failed.stderr.count("\n")) == (1, 1)
    assert "gone.so" in failed.stderr
    assert ours.run("status").returncode == 1
    configuration.write_text(as_it_was)
    monkeypatch.setattr(installed, "_PLACES", ("/nowhere",))
    failed = ours.run("start")
    assert (failed.returncode, failed.stderr.count("\n")) == (1, 1)
    assert "without its dynamic-security plugin" in failed.stderr


def test_nobody_comes_in_without_an_account_or_with_old_tls(ours: Site) -> None:
    ours.ask("start")
    hello = bytes([0x10, 13, 0, 4]) + b"MQTT" + bytes([4, 2, 0, 60, 0, 1]) + b"x"
    with socket.create_connection(("127.0.0.1", ours.port_base + 2), PATIENCE_S) as line:
        line.sendall(hello)
        answer = line.recv(4)
    assert answer in {b" \x02\x00\x05", b" \x02\x00\x04"}, answer


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while Path(f"/proc/{pid}").exists():
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        if state == "Z":
            return
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_doctor_looks_at_it_while_no_gateway_runs(ours: Site) -> None:
    def said() -> tuple[str, str, str | None]:
        (found,) = (one for one in settings(ours.data, running=False) if one.name == "mosquitto")
        return found.state, found.detail, found.remedy

    assert said() == ("FAIL", "it does not run", "start it with `doorward broker mosquitto start`")
    pid = ours.ask("start")["pid"]
    assert said() == ("ok", f"process {pid}, takes our commands", None)
    # Somebody else's accounts in its place.
    ours.ask("stop")
    (ours.files / "dynamic-security.json").write_bytes(
        accounts.first_security("x" * 64, "doorward")
    )
    ours.ask("start")
    state, detail, remedy = said()
    assert (state, "does not let doorward/control/account in" in detail) == ("FAIL", True)
    assert "setup --again" in (remedy or "")
    assert ours.run("status").returncode == 1
    ours.ask("stop")  # without its configuration nobody knows it as ours
    (ours.files / "mosquitto.conf").unlink()
    assert "no Mosquitto was set up" in said()[1]


def test_a_backup_holds_it_and_a_restored_one_starts_as_it_was(
    ours: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOORWARD_BACKUP_PASSPHRASE", "four plain words here")
    asyncio.run(furnish(ours.data))
    ours.ask("start")
    (ours.files / "conf.d" / "own.conf").write_text("max_keepalive 600\n")
    secret = accounts.load(ours.files / "control.secret")
    with talk(ours.port_base + 2, secret) as control:
        control.command({"command": "createClient", "username": "somebody", "password": "5e" * 32})
        control._publish("doorward/kept", b"retained", retain=True)
    file = tmp_path / "site.backup"
    ours.ask("backup", str(file), "--with-keys")
    before = {path: path.read_bytes() for path in ours.files.rglob("*") if path.is_file()}
    ours.ask("stop")
    shutil.rmtree(ours.data)
    backup("restore", str(file), "--data", str(ours.data))
    kept = {
        "mosquitto.conf",
        "own.conf",
        "control.secret",
        "dynamic-security.json",
        "ca.crt",
        "ca.crl",
    }
    for path, content in before.items():
        if path.name in kept:
            assert path.read_bytes() == content, path
            assert path.stat().st_mode & 0o077 == 0, path
    ours.ask("setup")  # the server's certificate is of a machine, and not in a backup
    ours.ask("start")
    with talk(ours.port_base + 2, secret) as control:
        assert "somebody" in {one["username"] for one in control.listed("listClients", "clients")}
        assert control.sweep(("doorward/#",)) == 1, "what was retained is there"
    # Without keys there are no accounts in it, and no password.
    file = tmp_path / "plain.backup"
    without = json.loads(backup("create", str(file), "--data", str(ours.data), "--json"))
    assert [name for name in without["files"] if "mosquitto" in name] == [
        "mosquitto/conf.d/own.conf"
    ]


def backup(*words: str) -> str:
    out = io.StringIO()
    with redirect_stdout(out):
        assert root.run(["backup", *words]) == 0
    return out.getvalue()
