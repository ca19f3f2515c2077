"""`doorward up` as an operator meets it: the first run, the end, and the ways in which it cannot start."""

import json
import re
import shutil
import signal
import urllib.request
from pathlib import Path

import forked
import pytest
from demos import PYTHON, Demo
from ports import free_port_base


def gateway(data: Path) -> Demo:
    return Demo(data, words=["up"])


def refused(data: Path) -> str:
    """What a gateway that cannot start says about it: one line, whatever its log said before."""
    done = forked.run(["up", "--data", str(data), "--port-base", str(free_port_base())])
    assert (done.returncode, done.stdout) == (1, ""), done
    lines = [line for line in done.stderr.splitlines() if not line.startswith("INFO ")]
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("used") / "d"
    with gateway(data) as running:
        assert running.interrupt() == 0
    return data


@pytest.fixture
def data(used: Path, tmp_path: Path) -> Path:
    """An installation that ran once."""
    return Path(shutil.copytree(used, tmp_path / "d", ignore=shutil.ignore_patterns("run")))


def test_the_first_run_makes_what_it_needs_and_says_where_it_is(tmp_path: Path) -> None:
    with Demo(tmp_path / "d", words=["up"], doorward=PYTHON) as running:
        assert f"http://127.0.0.1:{running.port_base}" in running.ready
        rest = running.process.stdout
        assert rest is not None
        assert f"0.0.0.0:{running.port_base + 1}, over mutual TLS" in rest.readline().decode()
        assert "setup token" in rest.readline().decode()
        token = json.loads(rest.readline())["message"]
        assert re.fullmatch(r"[\w-]{20,}", token), "alone on its line, to be copied"
        with urllib.request.urlopen(f"http://127.0.0.1:{running.port_base}/") as page:
            assert page.status == 200
        running.ask("people", "add", "Maya Okafor")
        assert running.run("lab", "list").returncode == 1
        assert running.interrupt() == 0
        assert running.leftovers() == []
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "d").rglob("*.key")}
    assert modes == {"database.key": 0o600}


def test_a_demo_does_not_move_into_a_real_installation(data: Path) -> None:
    done = forked.run(["demo", "--data", str(data), "--port-base", str(free_port_base())])
    assert done.returncode == 1
    assert "is a real installation" in done.stderr
    assert not (data / "site.json").exists()


def test_a_real_gateway_does_not_serve_the_demos_people(data: Path) -> None:
    (data / "site.json").write_text("{}")
    assert "was made by the demo" in refused(data)


def test_a_service_manager_may_end_it_too(tmp_path: Path) -> None:
    with gateway(tmp_path / "d") as running:
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) == 0


def test_people_are_not_readable_on_the_disk(tmp_path: Path) -> None:
    with gateway(tmp_path / "d") as running:
        running.ask("people", "add", "Maya Okafor")
        running.ask("card", "add", "04A1B2C3D4E5F6", "Maya Okafor")
        held = b"".join(p.read_bytes() for p in (tmp_path / "d").rglob("*") if p.is_file())
    for secret in (b"Maya", b"SQLite format", b"04a1b2c3d4e5f6", bytes.fromhex("04a1b2c3d4e5f6")):
        assert secret not in held


def test_a_wrong_key_refuses_to_start(data: Path) -> None:
    (data / "keys" / "database.key").write_bytes(bytes(32))
    line = refused(data)
    assert "key does not open" in line
    assert "backup" in line


def test_a_key_that_is_gone_is_not_replaced(data: Path) -> None:
    (data / "keys" / "database.key").unlink()
    assert "database.key is missing" in refused(data)
    assert not (data / "keys" / "database.key").exists()


def test_a_key_that_others_can_read_refuses_to_start(data: Path) -> None:
    (data / "keys" / "database.key").chmod(0o644)
    assert "chmod 600" in refused(data)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[web\n", "not TOML"),
        ("[web]\nprot = 1\n", "did you mean port?"),
        ("[mqtt]\nhost = 'broker.lan'\n", "IPv4"),
    ],
)
def test_a_corrupt_config_names_file_and_key(data: Path, text: str, says: str) -> None:
    (data / "doorward.toml").write_text(text)
    line = refused(data)
    assert str(data / "doorward.toml") in line
    assert says in line


def test_a_path_too_long_for_a_socket_is_named(tmp_path: Path) -> None:
    assert "choose a shorter --data" in refused(tmp_path / ("d" * 100))
