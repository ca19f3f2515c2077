"""The command line against a running demo: real gateway, real broker, real firmware. The relay is the witness."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import forked
import pytest
from demos import Demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with Demo(tmp_path_factory.mktemp("cli") / "d") as demo:
        yield demo


@pytest.fixture(autouse=True)
def at_rest(demo: Demo) -> None:
    """Every test begins with a locked door, and with a reader that looks at every card at once."""
    lately = demo.audit()[:5]
    if len(lately) == 5 and not any(row["granted"] for row in lately):
        # After so many refusals even a member is looked at when shown again, and ends that.
        demo.show("member")
        demo.tap("member")
    deadline = time.monotonic() + 20
    while True:
        front = next(door for door in demo.read("doors") if door["id"] == "front")
        if front["online"] and front["locked"]:
            return
        assert time.monotonic() < deadline, front
        time.sleep(0.1)


def test_the_door_is_listed_as_its_board_tells(demo: Demo) -> None:
    front = next(door for door in demo.ask("door", "list") if door["id"] == "front")
    assert (front["id"], front["name"]) == ("front", "Front door")
    line = demo.run("door", "list").stdout.splitlines()[1]
    assert line.split()[:5] == ["front", "Front", "door", "online", "locked"]


def test_a_member_is_let_in_and_the_audit_says_why(demo: Demo) -> None:
    openings = demo.openings()
    row = demo.tap("member")
    assert (row["person"], row["granted"]) == ("Maya Okafor", True)
    assert row["card_tail"] == demo.card("member")[-4:].upper()
    assert "Maya Okafor" in row["why"]
    assert demo.openings() == openings + 1


def test_a_card_opens_from_the_moment_it_is_given_until_it_is_taken(demo: Demo) -> None:
    uid = "04:5E:11:22:33:44:80"
    plain = uid.replace(":", "").lower()
    openings = demo.openings()
    assert demo.tap(plain)["granted"] is False
    level = next(p for p in demo.ask("people", "list") if p["name"] == "Maya Okafor")["levels"][0]
    demo.ask("people", "add", "Noor Haddad", "--level", level)
    demo.ask("card", "add", uid, "Noor Haddad")
    row = demo.tap(plain)
    assert (row["person"], row["granted"]) == ("Noor Haddad", True)
    assert demo.openings() == openings + 1
    demo.ask("card", "revoke", uid)
    assert demo.tap(plain)["granted"] is False
    assert demo.openings() == openings + 1


def test_however_fast_cards_are_tapped_each_is_answered(demo: Demo) -> None:
    before = len(demo.audit())
    words = ["lab", "tap", "front", "--data", str(demo.data), "--card"]
    cards = ("former", "stranger", "evening", "former")
    hands = [forked.Forked([*words, card]) for card in cards]
    assert [hand.wait(30) for hand in hands] == [0, 0, 0, 0]
    deadline = time.monotonic() + 10
    while len(rows := demo.audit()) < before + 4:
        assert time.monotonic() < deadline, rows[: len(rows) - before]
        time.sleep(0.1)
    tails = sorted(str(row["card_tail"]) for row in rows[: len(rows) - before])
    asked = [demo.card(card)[-4:].upper() for card in cards]
    assert tails == sorted(asked)


@pytest.mark.parametrize(("card", "person"), [("stranger", None), ("former", "Ana Ruiz")])
def test_who_may_not_come_in_does_not(demo: Demo, card: str, person: str | None) -> None:
    openings = demo.openings()
    row = demo.tap(card)
    assert (row["person"], row["granted"]) == (person, False)
    assert demo.openings() == openings


def test_a_door_opens_from_here_and_the_board_confirms_it(demo: Demo) -> None:
    openings = demo.openings()
    release = demo.ask("door", "open", "Front door")
    assert release["state"] == "opened"
    assert demo.openings() == openings + 1
    assert demo.audit("release.requested")


def test_why_knows_weekday_evenings(demo: Demo) -> None:
    uid = demo.card("evening")

    def verdict(at: str) -> str:
        answer = demo.ask("why", "--card", uid, "--door", "front", "--at", at)
        assert answer["person"] == "Jonas Weber"
        return str(answer["verdict"])

    assert verdict("2026-11-20T18:30") == "grant"  # a Friday
    assert verdict("2026-11-20T16:59") == "deny"
    assert verdict("2026-11-21T18:30") == "deny"  # a Saturday
    text = demo.run("why", "--card", uid, "--door", "front", "--at", "2026-11-21T18:30").stdout
    assert "stays shut" in text
    assert "schedule" in text
    assert uid not in text


def test_the_audit_is_whole_while_cards_are_tapped_and_can_be_taken_along(
    demo: Demo, tmp_path: Path
) -> None:
    demo.tap("member")
    verdict = demo.ask("audit", "verify")
    assert (verdict["findings"], verdict["ok"]) == ([], True)
    assert 0 < verdict["proven"] <= verdict["last"]
    assert verdict["entries"] > 0
    target, authority = tmp_path / "audit.csv", str(demo.data / "signer" / "ca.crt")
    demo.ask("audit", "export", "--format", "csv", "--out", str(target))
    assert "Maya Okafor" in target.read_text()
    found = demo.run("audit", "verify", str(target), "--ca", authority)
    assert found.returncode == 0, found.stdout
    target.write_text(target.read_text().replace("Maya Okafor", "Ana Ruiz", 1))
    found = demo.run("audit", "verify", str(target), "--ca", authority)
    assert found.returncode == 1
    assert "edited" in found.stdout


def test_a_running_gateway_is_not_checked_behind_its_back(demo: Demo) -> None:
    done = demo.run("audit", "verify", "--offline")
    assert done.returncode == 1
    assert "already" in done.stderr


def test_a_door_that_nobody_released_is_forced(demo: Demo) -> None:
    demo.ask("lab", "contact", "front", "open")
    deadline = time.monotonic() + 10
    while not demo.audit("door.forced"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    demo.ask("lab", "contact", "front", "closed")


def test_refusals_name_what_is_wrong(demo: Demo) -> None:
    for words, says in [
        (("door", "open", "cellar"), "cellar"),
        (("card", "add", "a1b2c3d4", "Nobody"), "Nobody"),
        (("people", "add", "X", "--level", "Nothing"), "Nothing"),
        (("lab", "tap", "front", "--card", "joker"), "joker"),
        (("lab", "tap", "vault", "--card", "member"), "has no reader"),
    ]:
        done = demo.run(*words)
        assert done.returncode == 1, (words, done.stdout)
        assert done.stderr.count("\n") == 1
        assert says in done.stderr


def test_a_name_cannot_steer_the_terminal(demo: Demo) -> None:
    demo.run("people", "add", "Eve\x1b[2J\u202eevil")
    assert "\x1b" not in demo.run("people", "list").stdout


def test_the_doctor_finds_nothing_wrong(demo: Demo) -> None:
    done = demo.run("doctor")
    assert done.returncode == 0, done.stdout
    for board in ("front", "hall", "lamp", "vault"):
        assert f"board {board}" in done.stdout


def test_no_whole_card_number_is_shown_or_logged(demo: Demo) -> None:
    demo.tap("member")
    shown = demo.log() + demo.run("audit", "list").stdout + demo.run("people", "list").stdout
    for name in ("member", "evening", "former"):
        assert demo.card(name) not in shown.lower()


def test_a_second_demo_in_the_same_directory_is_refused(demo: Demo, tmp_path: Path) -> None:
    done = demo.run("demo", "--port-base", str(demo.port_base + 10))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert str(demo.data) in done.stderr


def test_a_port_in_use_is_named(demo: Demo, tmp_path: Path) -> None:
    done = forked.run(["demo", "--port-base", str(demo.port_base), "--data", str(tmp_path / "d")])
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    ports = "|".join(str(demo.port_base + number) for number in range(4))
    assert re.search(rf"port ({ports}) .*in use", done.stderr)


def _settled(demo: Demo, path: str, field: str, value: object) -> None:
    deadline = time.monotonic() + 20
    while (found := demo.read(path)[0][field]) != value:
        assert time.monotonic() < deadline, f"{path} {field} is {found}"
        time.sleep(0.1)


def test_a_lamp_is_set_and_its_button_switches_it(demo: Demo) -> None:
    _settled(demo, "lights", "online", True)
    demo.ask("light", "set", "hall lamp", "--level", "80", "--kelvin", "2700", "--fade-ms", "0")
    pwm = demo.lab(op="pwm", board="lamp")["pwm"]
    assert pwm["25"]["duty"] > 30_000
    assert pwm["26"]["duty"] == 0
    _settled(demo, "lights", "level", 80)
    assert demo.run("light", "list").stdout.splitlines()[1].split()[4:6] == ["80", "2700"]
    demo.ask("lab", "press", "lamp", "button")
    _settled(demo, "lights", "level", 0)
    assert demo.ask("light", "list")[0]["cause"] == "button"
    assert demo.lab(op="pwm", board="lamp")["pwm"]["25"]["duty"] == 0
    refused = demo.run("light", "set", "lamp", "--level", "101")
    assert (refused.returncode, "level: give 0 to 100 %" in refused.stderr) == (1, True)


def test_who_moves_before_the_sensor_is_seen(demo: Demo) -> None:
    _settled(demo, "motion", "motion", False)
    demo.ask("lab", "motion", "hall", "on")
    _settled(demo, "motion", "motion", True)
    assert demo.ask("motion", "list")[0]["moved_at"]
    demo.ask("lab", "motion", "hall", "off")
    _settled(demo, "motion", "motion", False)


def test_a_vault_locks_out_and_is_released_by_its_boards_own_word(demo: Demo) -> None:
    _settled(demo, "vaults", "online", True)
    nothing = demo.run("vault", "release", "vault")
    assert (nothing.returncode, "not locked out" in nothing.stderr) == (1, True)
    demo.ask("lab", "key", "vault", "2580#")
    _settled(demo, "vaults", "attempts", 0)
    for wrong in range(6):
        demo.ask("lab", "key", "vault", f"000{wrong}#")
        time.sleep(0.6)  # a hand types one code after the other
    _settled(demo, "vaults", "vault", "INDEFINITE_LOCKED")
    assert "it is released" in demo.run("vault", "status", "vault").stdout
    ended = demo.ask("vault", "release", "vault")
    assert ended["state"] == "opened"
    _settled(demo, "vaults", "lockout", None)
    rows = demo.audit("lockout.cleared")
    assert rows[0]["actor"]
    assert rows[0]["why"] == "The lockout was ended from afar."


def test_who_pulls_at_a_door_opens_it_once_its_lock_lets_go(demo: Demo) -> None:
    forced = demo.audit("door.forced")
    done = demo.run("lab", "pull", "front")
    assert (done.returncode, done.stdout) == (0, "somebody at front pulls\n")
    assert demo.read("doors")[0]["contact"] == "closed"
    demo.ask("door", "open", "front")
    _settled(demo, "doors", "contact", "open")
    assert demo.ask("lab", "pull", "front", "--let-go") == {"board": "front", "pulled": False}
    _settled(demo, "doors", "contact", "closed")
    assert demo.audit("door.forced") == forced, "it was released"


def test_what_is_broken_is_found_until_it_is_mended(demo: Demo) -> None:
    known = demo.ask("lab", "faults")
    assert known["rex-shorted"] == "the exit button is pressed for ever"
    assert known["rex-shorted"] in demo.run("lab", "faults").stdout
    half = demo.run("lab", "faults", "front")
    assert (half.returncode, "name a BOARD and a FAULT" in half.stderr) == (2, True)
    wrong = demo.run("lab", "faults", "front", "rex-gone")
    assert (wrong.returncode, "there is no fault 'rex-gone'; known: " in wrong.stderr) == (1, True)
    demo.ask("lab", "faults", "front", "rex-shorted")
    found = demo.run("doctor", "front")
    assert (found.returncode, "The exit button is pressed all the time" in found.stdout) == (
        1,
        True,
    )
    mended = demo.ask("lab", "faults", "front", "rex-shorted", "--mend")
    assert mended == {"board": "front", "fault": "rex-shorted", "broken": False}
    assert demo.run("doctor", "front").returncode == 0
