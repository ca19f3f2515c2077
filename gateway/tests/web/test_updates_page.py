"""Updates on the page of the boards: a button, how far each board is, why one failed, and an end to all."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fakes.services import FakeHouse
from fakes.visitor import Visitor

from doorward.app.views.boards import BoardView, UpdateView
from doorward.web.update_looks import rollout_look, update_look

EVIL = "<img src=x onerror=\"alert('x')\">"
AT = datetime(2026, 11, 21, tzinfo=UTC)


def at(state: str, reason: str = "", percent: int = 0, rollout: int = 1) -> UpdateView:
    return UpdateView("any", "0.2.0", state, percent, reason, "ada", rollout, AT)


def boards(*found: UpdateView | None) -> list[BoardView]:
    """Each can have 0.2.0, unless it is at work."""
    return [
        BoardView(
            f"b{number}",
            "door-esp32",
            "approved",
            online=True,
            available="0.2.0",
            update=replace(update, device=f"b{number}") if update else None,
        )
        for number, update in enumerate(found)
    ]


async def test_who_may_updates_a_board_and_sees_how_far_it_is(
    operator: Visitor, house: FakeHouse
) -> None:
    page = (await operator.open("/boards")).text
    assert 'action="/boards/front/update"' not in page, "there is nothing newer"
    boards = house.devices.boards
    boards["front"] = replace(boards["front"], firmware="0.1.0", available="0.2.0")
    page = (await operator.open("/boards")).text
    assert "Update to 0.2.0" in page
    assert 'action="/boards/side/update"' not in page, "nobody has approved it"
    done = await operator.submit("/boards/front/update")
    assert (done.status_code, done.headers["location"]) == (303, "/boards")
    assert house.devices.updates.views["front"].actor == "admin"
    house.devices.updates.say("front", "0.2.0", "offered", 42)
    page = (await operator.open("/boards")).text
    assert '<progress max="100" value="42"' in page
    assert 'action="/boards/front/update"' not in page, "it is on its way already"
    house.auth.role = "Student"
    assert (await operator.submit("/boards/front/update")).status_code == 403


@pytest.mark.parametrize(
    ("state", "word", "percent"),
    [
        ("waiting", "Its turn comes", 0),
        ("installed", "On trial", 100),
        ("rolled back", "Rolled back", None),
        ("refused", "Refused", None),
        ("failed", "Failed", None),
        ("stopped", "Stopped", None),
        ("cancelled", "Cancelled", None),
    ],
)
def test_an_update_is_a_word(state: str, word: str, percent: int | None) -> None:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    look = update_look(UpdateView("front", "0.2.0", state, percent or 0, EVIL, "ada", 1, at))
    assert look is not None
    assert (look.word, look.percent) == (word, percent)


def test_an_update_that_went_well_is_no_news() -> None:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    assert update_look(UpdateView("front", "0.2.0", "confirmed", 100, "", "ada", 1, at)) is None


def test_two_boards_can_be_updated_with_one_button() -> None:
    assert rollout_look([]) is None
    assert rollout_look(boards(None)) is None, "its own card has a button"
    look = rollout_look(boards(None, None, at("offered")))
    assert look is not None
    assert (look.sentence, look.version, look.rows) == (
        "2 boards can have firmware 0.2.0.",
        "0.2.0",
        (),
    )


def test_a_roll_out_tells_who_is_how_far() -> None:
    look = rollout_look(boards(at("confirmed"), at("offered", percent=42), at("waiting")))
    assert look is not None
    assert look.sentence == "Firmware 0.2.0 for 3 boards: 1 done, 1 fetching, 1 waiting."
    assert [(name, row.word, row.percent) for name, row in look.rows] == [
        ("b1", "Fetching", 42),
        ("b2", "Its turn comes", 0),
    ]
    assert (look.tone, look.may_cancel) == ("info", True)
    on_trial = rollout_look(boards(at("confirmed"), at("installed")))
    assert on_trial is not None
    assert not on_trial.may_cancel


def test_a_roll_out_that_failed_tells_where_and_why() -> None:
    look = rollout_look(boards(at("refused", "signature"), at("stopped", "b0: signature")))
    assert look is not None
    assert look.sentence == "Firmware 0.2.0 for 2 boards: 1 stopped, 1 failed."
    assert look.tone == "warn"
    why = "it is not signed by the key that this board trusts"
    assert [row.detail for _, row in look.rows] == [
        f"The board did not take firmware 0.2.0: {why}",
        f"Another board failed with firmware 0.2.0: b0: {why}",
    ]
    assert rollout_look(boards(at("confirmed"), at("confirmed"))) is not None, "they can have more"
    done = [replace(board, available=None) for board in boards(at("confirmed"), at("cancelled"))]
    assert rollout_look(done) is None


async def test_all_are_updated_and_called_back_on_the_page(
    operator: Visitor, house: FakeHouse
) -> None:
    known = house.devices.boards
    for name in ("front", "yard"):
        known[name] = replace(known["front"], id=name, firmware="0.1.0", available="0.2.0")
    page = (await operator.open("/boards")).text
    assert "2 boards can have firmware 0.2.0." in page
    assert 'action="/boards/cancel"' not in page, "there is nothing to cancel"
    done = await operator.submit("/boards/update")
    assert (done.status_code, done.headers["location"]) == (303, "/boards")
    house.devices.updates.say("yard", "0.2.0", "waiting")
    page = (await operator.open("/boards")).text
    assert "1 fetching, 1 waiting" in page
    assert 'action="/boards/update"' not in page
    assert 'action="/boards/yard/cancel"' in page
    await operator.submit("/boards/yard/cancel")
    assert known["yard"].update is not None
    assert known["yard"].update.state == "cancelled"
    await operator.submit("/boards/cancel")
    assert {view.state for view in house.devices.updates.list()} == {"cancelled"}
    house.auth.role = "Student"
    assert (await operator.submit("/boards/cancel")).status_code == 403
    assert (await operator.submit("/boards/update")).status_code == 403


async def test_what_could_not_be_called_back_is_told_in_its_place(
    operator: Visitor, house: FakeHouse
) -> None:
    await operator.open("/boards")
    operator.headers["HX-Request"] = "true"
    refused = await operator.submit("/boards/cancel")
    assert refused.status_code == 409
    assert refused.text.startswith('<div id="rollout">')
    assert "no update is under way" in refused.text
