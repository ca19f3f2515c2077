"""`doorward holiday` against an API that answers what the test says."""

from typing import Any

import pytest

CHRISTMAS = {
    "name": "Christmas",
    "first": "2026-12-25",
    "last": "2026-12-26",
    "yearly": True,
    "next": "2026-12-25",
}
MOVE = {
    "name": "We move",
    "first": "2026-03-02",
    "last": "2026-03-02",
    "yearly": False,
    "next": None,
}


def test_a_holiday_is_added_with_its_days(api: Any, call: Any) -> None:
    api.answer("POST", "holidays", CHRISTMAS)
    asked = ("holiday", "add", "Christmas", "2026-12-25", "--until", "2026-12-26", "--yearly")
    assert call(*asked) == (0, "Christmas is a holiday: 12-25 to 12-26, every year\n", "")
    order = {"name": "Christmas", "first": "2026-12-25", "last": "2026-12-26", "yearly": True}
    assert api.asked == [("POST", "/api/v1/holidays", order)]


def test_holidays_are_listed_with_the_day_on_which_they_come_next(api: Any, call: Any) -> None:
    api.answer("GET", "holidays", [CHRISTMAS, MOVE])
    code, out, _ = call("holiday", "list")
    assert (code, out.splitlines()[1:]) == (
        0,
        [
            "Christmas  12-25 to 12-26, every year  2026-12-25",
            "We move    2026-03-02                  over",
        ],
    )


def test_without_any_it_says_how_to_add_one(api: Any, call: Any) -> None:
    api.answer("GET", "holidays", [])
    assert "none yet" in call("holiday", "list")[1]


def test_a_holiday_is_removed_by_its_name(api: Any, call: Any) -> None:
    api.answer("POST", "holidays/remove", MOVE)
    assert call("holiday", "remove", "We move")[:2] == (0, "We move is no holiday any more\n")
    assert api.asked == [("POST", "/api/v1/holidays/remove", {"name": "We move"})]


@pytest.mark.parametrize("day", ["25.12.2026", "2026-02-30", "tomorrow"])
def test_a_day_that_is_none_is_not_sent(day: str, api: Any, call: Any) -> None:
    code, _, err = call("holiday", "add", "x", day)
    assert (code, api.asked) == (2, [])
    assert "a date is written like 2026-12-25" in err
