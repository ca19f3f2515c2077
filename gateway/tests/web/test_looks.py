from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes.services import FRONT

from doorward.app.views.access import DoorView, Release
from doorward.app.views.audit import AuditEntry
from doorward.app.views.fixtures import Lockout
from doorward.web.looks import door_look, door_state, event_look, release_note, summary

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "locked"),
        ({"locked": False}, "unlocked"),
        ({"contact": "open"}, "open"),
        ({"contact": "open", "locked": False}, "open"),
        ({"contact": "open", "alarm": "held"}, "held"),
        ({"contact": "open", "alarm": "forced"}, "forced"),
        ({"alarm": "tamper"}, "tamper"),
        ({"locked": None}, "unknown"),
        ({"online": False}, "offline"),
        ({"online": False, "locked": None, "contact": None}, "offline"),
        ({"online": False, "alarm": "forced"}, "forced"),
        ({"alarm": "one that is not known yet"}, "locked"),
    ],
)
def test_the_state_that_matters_most_wins(changes: dict[str, Any], state: str) -> None:
    assert door_state(replace(FRONT, **changes)) == state


def test_every_state_has_its_own_word_and_icon() -> None:
    views = [
        FRONT,
        replace(FRONT, locked=False),
        replace(FRONT, contact="open"),
        replace(FRONT, alarm="held"),
        replace(FRONT, alarm="forced"),
        replace(FRONT, online=False),
        replace(FRONT, locked=None),
    ]
    looks = [door_look(view) for view in views]
    assert len({look.word for look in looks}) == len(views)
    assert len({look.icon for look in looks}) == len(views)


def test_an_offline_door_says_what_it_was() -> None:
    assert "locked when last heard" in door_look(replace(FRONT, online=False)).detail


def test_a_door_without_a_contact_does_not_claim_to_be_shut() -> None:
    assert "contact" in door_look(replace(FRONT, contact=None)).detail


@pytest.mark.parametrize(
    ("doors", "sentence", "tone"),
    [
        ([], "No doors yet", "calm"),
        ([FRONT], "Front door is locked", "calm"),
        ([FRONT, FRONT], "All doors are locked", "calm"),
        ([FRONT, replace(FRONT, name="Lab", contact="open")], "Lab is open", "info"),
        ([replace(FRONT, locked=False)] * 2, "2 doors are unlocked", "good"),
        (
            [replace(FRONT, name="Lab", alarm="forced"), replace(FRONT, alarm="held")],
            "Lab is forced open",
            "bad",
        ),
    ],
)
def test_the_headline_names_the_worst(doors: list[DoorView], sentence: str, tone: str) -> None:
    told = summary(doors)
    assert (told.sentence, told.tone) == (sentence, tone)


def test_a_verdict_leads_with_the_person_and_says_why() -> None:
    entry = AuditEntry(
        1, NOW, "access.decision", person="Maya", granted=True, why="She may.", source="board"
    )
    look = event_look(entry)
    assert (look.title, look.word, look.tone) == ("Maya", "Granted", "good")
    assert (look.why, look.source) == ("She may.", "decided at the door")


def test_a_stranger_is_an_unknown_card() -> None:
    look = event_look(AuditEntry(1, NOW, "access.decision", granted=False, why="Nobody has it."))
    assert (look.title, look.word, look.tone) == ("Unknown card", "Denied", "bad")


def test_a_correction_tells_both_accounts() -> None:
    entry = AuditEntry(
        1, NOW, "correction", granted=True, note="gateway said deny, board said grant"
    )
    assert "gateway said deny" in event_look(entry).why


def test_what_is_asked_of_boards_has_a_title_in_words() -> None:
    assert event_look(AuditEntry(1, NOW, "selftest.requested")).title == "Self-test asked for"
    assert event_look(AuditEntry(1, NOW, "device.rekeyed")).title == "Board has a new key"


def test_an_event_of_a_later_version_is_still_readable() -> None:
    assert event_look(AuditEntry(1, NOW, "vault.opened")).title == "Vault opened"


def _release(state: str) -> Release:
    until = NOW + timedelta(seconds=10)
    return Release("r", "front", "Front door", "admin", state, NOW, until, note="it stands open")  # type: ignore[arg-type]


def _door(release: Release | None, **changes: Any) -> DoorView:
    return replace(FRONT, locked=False, release=release, **changes)


def test_a_release_is_busy_until_the_door_has_spoken() -> None:
    assert release_note(_door(_release("unknown")), NOW).busy
    assert not release_note(_door(_release("opened")), NOW).busy
    assert not release_note(_door(_release("expired")), NOW).busy


def test_a_failed_release_says_why() -> None:
    assert release_note(_door(_release("failed")), NOW).text == "it stands open"


def test_an_old_release_is_not_worth_a_line() -> None:
    assert release_note(_door(_release("opened")), NOW + timedelta(minutes=5)).text == ""
    assert release_note(_door(None), NOW).text == ""


def test_the_good_news_ends_when_the_door_locks_again() -> None:
    opened = _door(_release("opened"))
    assert release_note(opened, NOW).state == "opened"
    assert release_note(replace(opened, locked=True), NOW).state == "idle"


@pytest.mark.parametrize("state", ["opened", "failed", "expired"])
@pytest.mark.parametrize("kind", ["door.forced", "door.open", "access.decision"])
def test_the_news_of_a_release_ends_when_the_door_tells_something_else(
    state: str, kind: str
) -> None:
    own = _door(_release(state), last=AuditEntry(2, NOW, "lock.changed"))
    assert release_note(own, NOW).text != ""
    assert release_note(replace(own, last=AuditEntry(3, NOW, kind)), NOW).text == ""


def test_nothing_else_ends_the_wait_for_the_doors_own_word() -> None:
    door = _door(_release("unknown"), last=AuditEntry(3, NOW, "access.decision"))
    assert release_note(door, NOW).busy


def test_a_lockout_is_told_beside_the_state_with_its_end() -> None:
    guarded = door_look(replace(FRONT, lockout=Lockout("guarded")))
    assert (guarded.state, "shown twice" in guarded.notice) == ("locked", True)
    locked = door_look(replace(FRONT, lockout=Lockout("locked", NOW)))
    assert locked.until == NOW
    assert door_look(FRONT).notice == ""
    assert door_look(replace(FRONT, lockout=Lockout("guarded"), online=False)).notice == ""


def test_the_end_of_a_lockout_is_told_though_the_vault_stays_locked() -> None:
    release = Release("r", "front", "Vault", "sam", "opened", NOW, NOW, kind="end_lockout")
    last = AuditEntry(1, NOW, "lockout.cleared")
    vault = replace(FRONT, locked=True, release=release, last=last, vault="LOCKED")
    assert "people may try again" in release_note(vault, NOW).text
    assert release_note(replace(vault, last=AuditEntry(2, NOW, "boot")), NOW).text == ""
    assert release_note(vault, NOW + timedelta(hours=1)).text == ""
    expired = replace(release, state="expired")
    assert "lockout may go on" in release_note(replace(vault, release=expired), NOW).text
    # At a door it was its keypad's wait.
    release, expired = (replace(one, kind="end_wait") for one in (release, expired))
    door = replace(vault, vault=None, release=release)
    assert "codes are looked at again" in release_note(door, NOW).text
    assert "may go on waiting" in release_note(replace(door, release=expired), NOW).text
