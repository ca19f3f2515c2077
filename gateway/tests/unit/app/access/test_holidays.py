"""What the desk keeps and refuses about holidays, and what boards are told of them."""

from datetime import date
from io import BytesIO

import pytest
from stage import Scene

from doorward.domain.holidays import day_of
from doorward.errors import Conflict, InvalidInput, NotFound
from doorward_core.records import Cache

TODAY = date(2026, 11, 21)  # as the stage's clock has it


def told(scene: Scene) -> tuple[tuple[int, int], ...]:
    held: tuple[tuple[int, int], ...] = Cache(
        BytesIO(scene.store.kept_caches["front"].file), scene.front.keys
    ).holidays
    return held


async def test_a_holiday_is_kept_told_to_boards_and_in_the_audit(scene: Scene) -> None:
    await scene.cases.cache.refresh()
    desk = scene.cases.holidays
    view = await desk.add("Founders'  day", TODAY, None, yearly=False, actor="test")
    assert (view.name, view.first, view.last, view.next) == ("Founders' day", TODAY, TODAY, TODAY)
    assert told(scene) == ((day_of(TODAY), day_of(TODAY)),)
    await desk.remove("founders' DAY", actor="test")
    assert told(scene) == ()
    assert [row.kind for row in scene.store.rows] == ["holiday.added", "holiday.removed"]
    assert scene.store.rows[0].why == "2026-11-21 became a holiday, Founders' day."
    assert scene.store.kept_caches["front"].version == 3


async def test_a_board_hears_of_a_holiday_before_its_copy_could_run_out(scene: Scene) -> None:
    christmas = date(2020, 12, 25)
    await scene.cases.holidays.add("Christmas", christmas, None, yearly=True, actor="test")
    assert scene.store.kept_caches["front"].version == 1
    assert told(scene) == ()
    scene.clock.advance(4 * 86400)
    await scene.cases.cache.refresh()
    this_year = day_of(date(2026, 12, 25))
    assert told(scene) == ((this_year, this_year),), "the copy is good for thirty days"


async def test_they_are_listed_in_the_order_in_which_they_come(scene: Scene) -> None:
    desk = scene.cases.holidays
    await desk.add("Over", date(2026, 11, 1), date(2026, 11, 3), yearly=False, actor="test")
    await desk.add("Summer", date(2026, 8, 1), date(2026, 8, 9), yearly=True, actor="test")
    await desk.add("Christmas", date(2020, 12, 25), None, yearly=True, actor="test")
    assert [(one.name, one.next) for one in await desk.list()] == [
        ("Christmas", date(2026, 12, 25)),
        ("Summer", date(2027, 8, 1)),
        ("Over", None),
    ]


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (date(2026, 12, 25), date(2026, 12, 24), "last"),
        (date(2026, 1, 1), date(2026, 12, 31), "last"),
        (date(1999, 12, 31), None, "first"),
        (date(2099, 12, 31), date(2100, 1, 1), "first"),
    ],
)
async def test_days_that_are_none_are_refused(
    scene: Scene, first: date, last: date | None, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await scene.cases.holidays.add("No", first, last, yearly=False, actor="test")
    assert refused.value.field == field
    assert scene.store.rows == []


async def test_a_name_is_there_once_and_what_is_not_there_cannot_go(scene: Scene) -> None:
    desk = scene.cases.holidays
    await desk.add("Christmas", TODAY, None, yearly=True, actor="test")
    with pytest.raises(Conflict, match="there is a holiday christmas already"):
        await desk.add("christmas", TODAY, None, yearly=False, actor="test")
    with pytest.raises(NotFound, match="there is no holiday Easter"):
        await desk.remove("Easter", actor="test")
    assert len(scene.store.rows) == 1
