"""`doorward broker run`: from an empty directory to a client that connects, with the commands that a user types."""

import json
import re
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from broker_alone import START_S, Running
from demos import PYTHON
from forked import run
from ports import free_port_base
from websockets.sync.client import connect

from doorward_core import mqtt


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("alone") / "d", own=True) as running:
        # The first question loads the API, which takes a while on a busy machine.
        with running.api() as api:
            assert api.get("/api/v1/mqtt/status").is_success
        yield running


def test_it_says_where_it_listens(broker: Running) -> None:
    text = "\n".join(broker.said)
    for offset in (1, 2, 3):
        assert f":{broker.port_base + offset}" in text
    assert str(broker.data / "ca.crt") in text


def test_what_it_makes_is_for_its_owner_alone(broker: Running) -> None:
    secret = [broker.data / "broker.db", *broker.data.glob("keys/*"), *broker.data.glob("signer/*")]
    assert len(secret) > 3
    assert not [path for path in secret if path.stat().st_mode & 0o077]
    assert not (broker.data / "gateway.db").exists()


def test_pub_and_sub_work_against_it(broker: Running) -> None:
    done = broker.call("pub", "-t", "school/bell", "-m", "ring", "-r", "-q", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert "published 4 bytes to school/bell" in done.stdout
    done = broker.call("sub", "-t", "school/#", "-C", "1", "-W", "20", "-v")
    assert (done.returncode, done.stdout) == (0, "school/bell ring\n")
    done = broker.call("sub", "-t", "school/#", "-C", "1", "-W", "20", "--json")
    told = json.loads(done.stdout)
    assert told == {"topic": "school/bell", "qos": 0, "retain": True, "payload": "ring"}


def test_from_an_empty_directory_to_a_user_who_connects(broker: Running) -> None:
    password = {"DOORWARD_PASSWORD": "correct horse battery"}
    done = broker.call("broker", "users", "add", "alice", "--role", "Teacher", **password)
    assert done.returncode == 0, done.stderr
    alice = {"MQTT_USERNAME": "alice", "MQTT_PASSWORD": "correct horse battery"}
    notice = ("-t", "school/notices/today", "-m", "no lessons", "-r", "-q", "1")
    done = broker.call("pub", *notice, **alice)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "published 10 bytes to school/notices/today\n"
    # The broker acknowledges what it refuses like anything else: who may not is told so all the same.
    done = broker.call("pub", "-t", "school/secret", "-m", "x", "-q", "1", **alice)
    assert (done.returncode, done.stdout) == (1, "")
    assert "does not let alice publish to 'school/secret'" in done.stderr
    plain = ("--host", "127.0.0.1", "--port", str(broker.port_base + 2))
    done = broker.call("pub", "-t", "school/secret", "-m", "x", *plain, **alice)
    assert done.stdout.startswith("sent 1 bytes to school/secret; brokers do not say")
    heard = ("sub", "-t", "school/notices/#", "-C", "1", "-W", "20")
    # No board belongs here, so nobody has a certificate: over TLS name and password are enough, too.
    ours = ("--host", "localhost", "--cafile", str(broker.data / "ca.crt"))
    over_tls = (*ours, "--port", str(broker.port_base + 1))
    assert broker.call(*heard, *over_tls, **alice).stdout == "no lessons\n"
    done = broker.call(*heard, *over_tls, **{**alice, "MQTT_PASSWORD": "guessed"})
    assert "wrong user name or password for 'alice'" in done.stderr
    assert broker.call(*heard, **alice).stdout == "no lessons\n"
    done = broker.call(*heard, **{**alice, "MQTT_PASSWORD": "guessed"})
    assert "wrong user name or password for 'alice'" in done.stderr
    done = broker.call("sub", "-t", "#", "-W", "1", **alice)
    assert "does not let alice read '#'" in done.stderr
    logs = broker.call("broker", "logs", "--action", "PUBLISH", "--limit", "5").stdout
    assert "alice" in logs
    assert "school/notices/today" in logs
    assert broker.call("broker", "acl", "list").returncode == 0


def test_the_doctor_knows_what_it_is(broker: Running) -> None:
    done = broker.call("doctor", "--json")
    found = {one["name"]: one for one in json.loads(done.stdout)["checks"]}
    assert done.returncode == 0, done.stdout
    assert "a broker alone" in found["kind"]["detail"]
    assert "clients come to" in found["tls"]["detail"]
    assert found["broker run"]["state"] == found["broker"]["state"] == "ok"
    assert not found.keys() & {"gateway", "port web", "web"}


def test_bytes_go_through_as_they_are(broker: Running, tmp_path: Path) -> None:
    content = bytes(range(256))
    (tmp_path / "payload").write_bytes(content)
    assert broker.call("pub", "-t", "raw", "-r", "-f", str(tmp_path / "payload")).returncode == 0
    heard = subprocess.run(
        [*PYTHON, "sub", "-t", "raw", "-C", "1", "-W", "20", "--data", str(broker.data)],
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert heard.stdout == content + b"\n"


def test_failures_are_one_line(broker: Running) -> None:
    for words, code, said in [
        (("pub", "-t", "doorward/devices/front/commands/control"), 1, "commands go through"),
        (("pub", "-t", "a/#"), 1, "for subscribing"),
        (("sub", "-t", "a#"), 1, "whole levels"),
        (("sub", "-t", "quiet", "-C", "2", "-W", "0.3"), 1, "0 of 2 messages came in 0.3 s"),
        (("pub", "-t", "a", "-u", "nobody"), 1, "no password for nobody"),
        (("pub", "-t", "a", "--port", "1"), 1, "add --host"),
    ]:
        done = broker.call(*words)
        assert done.returncode == code, done
        assert done.stderr.count("\n") == 1
        assert said in done.stderr


def test_a_password_in_the_arguments_is_taken_and_warned_about(broker: Running) -> None:
    done = broker.call("pub", "-t", "a", "-u", "nobody", "--password", "tiger")
    assert done.returncode == 1
    assert "every user of this machine can read a password" in done.stderr
    assert "wrong user name or password for 'nobody'" in done.stderr
    assert "tiger" not in done.stderr
    done = broker.call("pub", "-t", "a", "-u", "nobody", MQTT_PASSWORD="tiger")
    assert "every user" not in done.stderr


def test_another_broker_is_reached_by_its_address(broker: Running, tmp_path: Path) -> None:
    plain = f"127.0.0.1:{broker.port_base + 2}"
    words = ("pub", "-t", "a", "-m", "x", "-u", "nobody")
    done = broker.call(*words, MQTT_PASSWORD="x", MQTT_BROKER_URL=plain)
    assert f"the broker {plain} refuses" in done.stderr
    # TLS or nothing: the plain port is refused, in both ways in which somebody may ask for it.
    secured = {"MQTT_PASSWORD": "x", "MQTT_USE_TLS": "true"}
    done = broker.call(*words, **secured, MQTT_BROKER_URL=f"mqtt://{plain}")
    assert "asks for a plain connection" in done.stderr
    done = broker.call(*words, **secured, MQTT_BROKER_URL=plain)
    assert "does this port speak TLS?" in done.stderr
    nowhere = str(tmp_path / "nowhere.pem")
    done = broker.call(*words, **secured, MQTT_BROKER_URL=plain, MQTT_CA_CERT_PATH=nowhere)
    assert f"{nowhere} cannot be read" in done.stderr
    ours = str(broker.data / "ca.crt")
    websocket = ["--host", "localhost", "--port", str(broker.port_base + 3), "--cafile", ours]
    done = broker.call(*words, *websocket, MQTT_PASSWORD="x")
    assert done.returncode == 1  # TLS is good there, and it is no plain MQTT
    assert "closed the connection before CONNACK; it may ask for a certificate" in done.stderr


def test_a_websocket_client_is_answered(broker: Running) -> None:
    context = ssl.create_default_context(cafile=broker.data / "ca.crt")
    url = f"wss://localhost:{broker.port_base + 3}/mqtt"
    with connect(url, ssl=context, subprotocols=["mqtt"], proxy=None) as link:  # type: ignore[list-item]
        link.send(mqtt.connect("a", 0, True, "nobody", "x", None))
        assert link.recv() == bytes([0x20, 2, 0, mqtt.BAD_LOGIN])


def test_it_is_watched_like_a_gateway(broker: Running) -> None:
    with broker.api() as api:
        order = {"topic": "counted", "qos": 2}
        assert api.post("/api/v1/mqtt/publish", json=order).is_success
        status = api.get("/api/v1/mqtt/status").json()
        assert status["listeners"]["tls"] == broker.port_base + 1
        assert api.get("/api/v1/health").json()["ok"] is True
        text = api.get("/metrics").text
        found = re.search(r'messages_received_total\{qos="2"\} ([0-9.]+)', text)
        assert found is not None
        assert float(found[1]) >= 1
        found = re.search(r"broker_commit_seconds_count ([0-9.]+)", text)
        assert found is not None
        assert float(found[1]) >= 1
        assert api.get("/api/v1/doors").status_code == 404


def test_it_keeps_what_it_had_and_ends_well(tmp_path: Path) -> None:
    for again in (False, True):
        with Running(tmp_path / "d") as running:
            if again:
                assert running.call("sub", "-t", "kept", "-C", "1", "-W", "20").stdout == "x\n"
            else:
                assert running.call("pub", "-t", "kept", "-m", "x", "-r", "-q", "1").returncode == 0
            assert running.stop(signal.SIGINT if again else signal.SIGTERM) == 0
            assert not (tmp_path / "d" / "run" / "api.sock").exists()


def test_a_service_manager_hears_of_it(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(START_S)
        told = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "2000000"}
        with Running(tmp_path / "d", environment=told) as running:
            assert manager.recv(100) == b"READY=1"
            assert manager.recv(100) == b"WATCHDOG=1"
            assert running.stop() == 0
            rest = [manager.recv(100)]
            while rest[-1] == b"WATCHDOG=1":
                rest.append(manager.recv(100))
            assert rest[-1] == b"STOPPING=1"


def test_a_gateways_directory_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "gateway.db").touch()
    done = run(["broker", "run", "--data", str(tmp_path)])
    assert done.returncode == 1
    assert "is a gateway's" in done.stderr
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["gateway.db"]


def loaded(running: Running) -> set[str]:
    """The packages with a compiled part that the process has loaded."""
    maps = Path(f"/proc/{running.process.pid}/maps").read_text()
    return set(re.findall(r"/site-packages/([^/]+)/", maps))


def test_what_prepared_it_is_not_in_its_memory_and_no_secret_is_shown(tmp_path: Path) -> None:
    with Running(tmp_path / "d", own=True) as running:
        assert not loaded(running) & {"cryptography", "pydantic_core", "sqlalchemy"}
        process = Path(f"/proc/{running.process.pid}")
        key = (running.data / "keys" / "database.key").read_bytes()
        for name in ("cmdline", "environ"):
            shown = (process / name).read_bytes()
            assert str(running.data).encode() in shown or name == "environ"
            assert key not in shown
            assert key.hex().encode() not in shown.lower()
        targets = [str(one.readlink()) for one in (process / "fd").iterdir()]
        assert [one for one in targets if "gateway.lock" in one]
        assert not [one for one in targets if "memfd" in one], "the plan is gone once it is taken"
        with running.api() as api:
            assert api.get("/api/v1/health").is_success
        assert "pydantic_core" in loaded(running), "the positive control"


def test_what_is_wrong_when_it_begins_to_serve_is_one_line(broker: Running, tmp_path: Path) -> None:
    base = str(broker.port_base)
    for json_wanted in ((), ("--json",)):
        words = ["broker", "run", "--port-base", base, "--data", str(tmp_path / "d"), *json_wanted]
        done = run(words)
        assert done.returncode == 1
        [line] = [one for one in done.stderr.splitlines() if not one.startswith("INFO")]
        said = json.loads(line)["error"]["message"] if json_wanted else line
        assert f"port {broker.port_base + 2} on 127.0.0.1 is in use" in said


def test_two_do_not_share_a_directory(broker: Running) -> None:
    done = broker.call("broker", "run", "--port-base", str(free_port_base()))
    assert done.returncode == 1
    assert str(broker.data) in done.stderr
