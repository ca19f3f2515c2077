"""Every command against an API that answers what the test says: what is asked, what is printed, how it ends."""

import json
from typing import Any

import pytest

ENTRY = {
    "id": 7,
    "at": "2026-11-21T10:30:00Z",
    "kind": "access.decision",
    "door_id": "front",
    "door_name": "Front door",
    "person": "Maya Okafor",
    "card_tail": "e5f6",
    "granted": True,
    "rule": 1,
    "rule_name": "granted",
    "why": "Maya's level opens it always.",
    "source": "gateway",
    "actor": None,
    "note": None,
    "device": "front",
}
ANY_DAY = {"valid_from": None, "valid_until": None}
RELEASE = {
    "id": "cmd_1",
    "door_id": "front",
    "door_name": "Front door",
    "actor": "local",
    "state": "unknown",
    "requested_at": "2026-11-21T10:30:00Z",
    "expires_at": "2026-11-21T10:30:05Z",
    "note": None,
}
DOOR = {
    "id": "front",
    "name": "Front door",
    "online": True,
    "locked": True,
    "contact": "closed",
    "alarm": None,
    "last": None,
    "release": None,
    "policy_version": 1,
    "policy_wanted": 1,
    "firmware": "0.1.0",
    "heard_at": "2026-11-21T10:30:00Z",
}


def test_people_are_added_with_their_levels(api: Any, call: Any) -> None:
    person = {"id": 1, "name": "Maya", "active": True, "levels": ["Members"], "cards": []}
    api.answer("POST", "people", {**person, **ANY_DAY})
    assert call("people", "add", "Maya", "--level", "Members") == (
        0,
        "Maya is added: Members\n",
        "",
    )
    order = {"name": "Maya", "levels": ["Members"], **ANY_DAY}
    assert api.asked == [("POST", "/api/v1/people", order)]


def test_a_person_has_dates_and_loses_them(api: Any, call: Any) -> None:
    term = {"valid_from": "2026-09-01", "valid_until": "2026-12-18"}
    api.answer("POST", "people/dates", {"name": "Maya", **term})
    asked = ("people", "dates", "Maya", "--from", "2026-09-01", "--until", "2026-12-18")
    assert call(*asked)[:2] == (0, "Maya may pass from 2026-09-01 until 2026-12-18\n")
    api.answer("POST", "people/dates", {"name": "Maya", **ANY_DAY})
    call("people", "dates", "Maya")
    assert [order for _, _, order in api.asked] == [
        {"person": "Maya", **term},
        {"person": "Maya", **ANY_DAY},
    ]


def test_people_are_listed_with_the_tails_of_their_cards(api: Any, call: Any) -> None:
    cards = [{"tail": "e5f6", "revoked": False}, {"tail": "0001", "revoked": True}]
    people = [{"name": "Ana \x1b[31mRuiz", "levels": [], "cards": cards, **ANY_DAY}]
    people[0]["valid_until"] = "2026-12-18"
    api.answer("GET", "people", people)
    code, out, _ = call("people", "list")
    assert code == 0
    assert out.splitlines()[1] == (
        "Ana \\x1b[31mRuiz  -              until 2026-12-18  …e5f6, …0001 (revoked)"
    )


def test_a_card_is_sent_as_plain_hex_and_shown_by_its_tail(api: Any, call: Any) -> None:
    api.answer("POST", "cards", {"id": 3, "tail": "e5f6", "person": "Maya", "revoked": False})
    code, out, _ = call("card", "add", "04:A1:B2:C3:D4:E5:F6", "Maya")
    assert (code, out) == (0, "Maya carries card …e5f6\n")
    assert api.asked[0][2] == {"uid": "04a1b2c3d4e5f6", "person": "Maya"}


@pytest.mark.parametrize("uid", ["xyz", "04A1B2", "04A1B2C", "", "04A1B2C3D4"])
def test_what_is_no_uid_is_never_sent(api: Any, call: Any, uid: str) -> None:
    code, out, err = call("card", "revoke", uid)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "a card's UID" in err
    assert api.asked == []


def test_a_revoked_card_is_named_by_its_tail_and_person(api: Any, call: Any) -> None:
    api.answer("POST", "cards/revoke", {"id": 3, "tail": "c3d4", "person": "Ana", "revoked": True})
    assert call("card", "revoke", "a1b2c3d4")[:2] == (0, "card …c3d4 of Ana is revoked\n")


def test_the_audit_is_a_table_with_the_reason(api: Any, call: Any) -> None:
    moved = {**ENTRY, "kind": "door.forced", "granted": None, "person": None, "why": None}
    started = {**moved, "kind": "boot", "door_name": None, "device": "lamp"}
    signed_in = {**started, "kind": "login", "device": None}
    api.answer("GET", "audit", [ENTRY, moved, started, signed_in])
    code, out, _ = call("audit", "list", "--door", "front", "--limit", "5")
    assert code == 0
    assert api.asked[0][1] == "/api/v1/audit?door=front&limit=5"
    head, first, second, third, last = out.splitlines()
    assert head.split() == ["time", "door", "what", "who", "card", "why", "source"]
    assert "granted" in first
    assert "Maya's level opens it always." in first
    assert "door.forced" in second
    assert "  board lamp  boot" in third
    assert "board" not in last


def test_json_is_the_answer_of_the_api_as_it_came(api: Any, call: Any) -> None:
    api.answer("GET", "audit", [ENTRY])
    code, out, _ = call("audit", "list", "--json")
    assert (code, json.loads(out)) == (0, [ENTRY])


def test_why_names_the_rule_that_decides(api: Any, call: Any) -> None:
    steps = [
        {"rule": 1, "name": "known", "sentence": "The card is known.", "passed": True},
        {"rule": 2, "name": "revoked", "sentence": "The card was revoked.", "passed": False},
        {"rule": 3, "name": "schedule", "sentence": "Weekdays 17–22.", "passed": None},
    ]
    answer = {
        "verdict": "deny",
        "rule": 2,
        "rule_name": "revoked",
        "sentence": "The card was revoked.",
        "steps": steps,
        "person": "Ana Ruiz",
        "card_tail": "c3d4",
        "door_id": "front",
        "door_name": "Front door",
        "at": "2026-11-21T18:30:00+00:00",
    }
    api.answer("GET", "why", answer)
    code, out, _ = call("why", "--card", "A1B2C3D4", "--door", "front", "--at", "2026-11-21T18:30")
    assert code == 0
    assert api.asked[0][1] == "/api/v1/why?card=a1b2c3d4&door=front&at=2026-11-21T18%3A30%3A00"
    assert "Front door stays shut for card …c3d4 (Ana Ruiz)" in out
    assert "The card was revoked. (rule 2, revoked)" in out
    assert [line.split()[2] for line in out.splitlines()[-3:]] == ["passed", "decides", "not"]
    call("why", "--card", "evening", "--door", "front")
    assert api.asked[1][1] == "/api/v1/why?card=evening&door=front"
    call("why", "--person", "Jonas Weber", "--card", "91C3", "--door", "front")
    assert api.asked[2][1] == "/api/v1/why?card=91C3&person=Jonas+Weber&door=front"


def test_why_wants_to_know_whose_card(api: Any, call: Any) -> None:
    code, _, err = call("why", "--door", "front")
    assert code == 2
    assert "--card, --person or --code" in err
    assert api.asked == []


def test_a_door_opened_only_when_its_board_said_so(api: Any, call: Any) -> None:
    api.answer("POST", "doors/front/open", RELEASE)
    api.answer("GET", "doors", [{**DOOR, "release": RELEASE}])
    api.answer("GET", "doors", [{**DOOR, "release": {**RELEASE, "state": "opened"}}])
    assert call("door", "open", "front") == (0, "Front door opened: its board says so\n", "")
    assert [asked[0] for asked in api.asked] == ["POST", "GET", "GET"]


@pytest.mark.parametrize(
    ("state", "says"),
    [("expired", "did not open in time"), ("failed", "did not open: the board said no")],
)
def test_a_release_that_came_to_nothing_is_a_failure(
    api: Any, call: Any, state: str, says: str
) -> None:
    over = {**RELEASE, "state": state, "note": "the board said no"}
    api.answer("POST", "doors/front/open", RELEASE)
    api.answer("GET", "doors", [{**DOOR, "release": over}])
    code, out, err = call("door", "open", "front")
    assert (code, out) == (1, "")
    assert says in err


def test_a_release_that_nobody_confirms_stays_unknown(
    api: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doorward.cli.door._PATIENCE_S", 0.3)
    other = {**RELEASE, "id": "cmd_2", "state": "opened"}
    api.answer("POST", "doors/front/open", RELEASE)
    api.answer("GET", "doors", [{**DOOR, "release": other}])
    code, _, err = call("door", "open", "front")
    assert code == 1
    assert "unknown whether Front door opened" in err


def test_the_wait_of_a_keypad_is_over_only_when_its_board_said_so(api: Any, call: Any) -> None:
    asked = {**RELEASE, "kind": "end_wait"}
    api.answer("POST", "doors/front/end-wait", asked)
    api.answer("GET", "doors", [{**DOOR, "release": {**asked, "state": "opened"}}])
    said = "Front door looks at codes again: its board says so\n"
    assert call("door", "end-wait", "front") == (0, said, "")
    for state, line in (
        ("failed", "nothing ended at Front door: its board refused"),
        ("expired", "Front door did not answer in time"),
    ):
        api.answers["POST", "/api/v1/doors/front/end-wait"] = [(202, {**asked, "state": state})]
        code, out, err = call("door", "end-wait", "front")
        assert (code, out) == (1, "")
        assert err.startswith(f"doorward: {line}")
    vault = {**asked, "kind": "end_lockout", "state": "opened"}
    api.answers["POST", "/api/v1/doors/front/end-wait"] = [(202, vault)]
    said = "Front door lets people try again: its board says so\n"
    assert call("door", "end-wait", "front") == (0, said, "")


def test_a_door_is_named_as_people_name_it(api: Any, call: Any) -> None:
    api.answer("POST", "doors/Front%20door/open", {**RELEASE, "state": "opened"})
    assert call("door", "open", "Front door")[0] == 0


def test_doors_are_listed_as_last_heard_of(api: Any, call: Any) -> None:
    silent = {
        **DOOR,
        "id": "back",
        "name": "Back",
        "online": False,
        "locked": None,
        "contact": None,
    }
    api.answer("GET", "doors", [DOOR, {**silent, "heard_at": None}])
    _, front, back = call("door", "list")[1].splitlines()
    assert front.split()[:5] == ["front", "Front", "door", "online", "locked"]
    assert back.split() == ["back", "Back", "offline", "-", "-", "-", "-"]


def test_a_refusal_is_one_line_on_stderr(api: Any, call: Any) -> None:
    error = {
        "code": "not_found",
        "message": "no door is called x\x1b; see `doorward door list`",
        "field": "door",
    }
    api.answer("POST", "doors/x/open", {"error": error}, status=404)
    line = "doorward: no door is called x\\x1b; see `doorward door list`\n"
    assert call("door", "open", "x") == (1, "", line)
    code, out, err = call("door", "open", "x", "--json")
    assert (code, out, json.loads(err)) == (1, "", {"error": error})


def test_an_answer_without_reason_is_still_one_line(api: Any, call: Any) -> None:
    api.answer("GET", "people", b"<h1>500</h1>", status=500)
    code, out, err = call("people", "list")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "500" in err


def test_the_lab_moves_cards_and_doors(api: Any, call: Any) -> None:
    api.answer("POST", "site/tap", b"", status=204)
    api.answer("POST", "site/contact", b"", status=204)
    assert call("lab", "tap", "front", "--card", "member")[0] == 0
    assert call("lab", "contact", "front", "open")[:2] == (0, "front stands open\n")
    assert [asked[2] for asked in api.asked] == [
        {"door": "front", "card": "member"},
        {"door": "front", "open": True},
    ]
