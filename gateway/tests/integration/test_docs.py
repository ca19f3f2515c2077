"""What the documentation shows is true: its commands run, its links lead somewhere, its seal verifies."""

import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import forked
import pytest
from demos import Demo

from doorward.app.access import releases
from doorward.app.devices import selftests
from doorward.app.messages import challenges
from doorward.config import Settings, loading
from doorward_core import backoff, door, lockout, padlock, seal, topic_tree, topics

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
# What starts something for good is what the fixture below does; what activates an environment is done by its PATH.
_STARTS = {"./start.sh", "./start.sh demo", ". .venv/bin/activate"}
# The tests are not run by the tests.
_TESTS = re.compile(r"\./test\.sh( --setup| quick)?")

# A command with nothing around it, and what lets a shell tell its words, expanded, instead of running it.
_ALONE = re.compile(r"doorward [^|&;<>]+")
_TELL = "doorward() { printf '%s\\0' \"$@\"; }; "


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def commands(page: Path) -> list[str]:
    lines = "".join(blocks(page, "sh")).splitlines()
    return [line for line in lines if line and line not in _STARTS and not _TESTS.fullmatch(line)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with Demo(tmp_path_factory.mktemp("docs") / "d") as demo:
        yield demo


@pytest.mark.parametrize("page", [p for p in PAGES if commands(p)], ids=lambda page: page.name)
def test_every_command_shown_works(page: Path, demo: Demo, tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    # A home of their own: some write there.
    own = {"PATH": path, "DOORWARD_DATA": str(demo.data), "HOME": str(tmp_path)}
    environment = {**os.environ, **own}
    for command in commands(page):
        # The readme's are run as they stand. For the others the shell says what it makes of the words.
        if page.name != "README.md" and _ALONE.fullmatch(command):
            told = shell(_TELL + command, environment)
            assert told.returncode == 0, f"{command}\n{told.stderr}"
            words = told.stdout.split("\0")[:-1]
            done = forked.run(words, cwd=ROOT, env=environment)
        else:
            done = shell(command, environment)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def shell(command: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_gates_shown_exist() -> None:
    done = subprocess.run([ROOT / "test.sh", "--help"], capture_output=True, text=True, check=True)
    assert "./test.sh quick" in done.stdout
    assert "./test.sh --setup" in done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), f"{page.name} → {target}"


def test_the_seal_in_the_protocol_is_one() -> None:
    example = next(b for b in blocks(ROOT / "docs" / "protocol.md", "text") if "\ndw1 " in b)
    keys = seal.Keys("front", bytes(range(32)))
    payload = example.removesuffix("\n").encode()
    assert seal.open_sealed(keys, topics.ACCESS_RESPONSE, payload).freshness.startswith("n:0001")


def test_every_leaf_is_documented_as_it_is_used() -> None:
    text = (ROOT / "docs" / "protocol.md").read_text()
    rows = re.findall(r"^\| (`[^|]+) \| (up|down) \| ([^|]+) \|", text, re.MULTILINE)
    told = {
        leaf: (direction, how)
        for names, direction, how in rows
        for leaf in re.findall("`([^`]+)`", names)
    }
    assert {leaf for leaf, (way, _) in told.items() if way == "up"} == set(topic_tree.UP)
    assert {leaf for leaf, (way, _) in told.items() if way == "down"} == set(topic_tree.DOWN)
    retained = {leaf for leaf, (_, how) in told.items() if "retained" in how}
    assert retained == set(topic_tree.MAY_BE_RETAINED)
    assert not [leaf for leaf, (_, how) in told.items() if "2" in how], "nobody speaks QoS 2"


def test_every_event_and_the_life_of_a_command_are_documented() -> None:
    text = (ROOT / "docs" / "protocol.md").read_text()
    tables = door.TRANSITIONS + lockout.TRANSITIONS + padlock.TRANSITIONS + backoff.TRANSITIONS
    kinds = set(re.findall(r"(?:door|lock|lockout)\.[a-z]+", tables))
    assert len(kinds) > 6
    assert not [
        kind for kind in {*kinds, "access.decision", "boot", "lost"} if f"`{kind}`" not in text
    ]
    assert set(re.findall(r'"ttl_s":(\d+)', text)) == {
        str(releases.TTL_S),
        str(challenges.TTL_S),
        str(selftests.TTL_S),
    }


def test_the_drawn_state_machines_are_the_tables() -> None:
    namespace = runpy.run_path(str(ROOT / "docs" / "draw_door.py"))
    for name, tables in namespace["TABLES"].items():
        page = (ROOT / "docs" / name).read_text()
        assert namespace["drawn"](page, tables) == page, "run python docs/draw_door.py"


def test_the_diagrams_of_the_boards_are_their_profiles() -> None:
    drawn = runpy.run_path(str(ROOT / "docs" / "draw_boards.py"))["drawn"]()
    there = {path.name: path.read_text() for path in (ROOT / "docs" / "wiring").glob("*.svg")}
    assert there == drawn, "run python docs/draw_boards.py"


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs" / "getting-started.md").read_text()
    settings = set(Settings.model_fields) - {"directory"}
    wanted = {*loading.ENVIRONMENT, "DOORWARD_DATA", *settings}
    assert not [name for name in wanted if f"`{name}`" not in page and f"`[{name}]`" not in page]
