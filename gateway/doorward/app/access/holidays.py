"""Holidays: named, counted in every decision from the moment they are kept, and in the audit."""

from datetime import date

from doorward.app.access.desk import RulesDesk
from doorward.app.names import clean_name
from doorward.app.views.access import HolidayView
from doorward.domain import audit
from doorward.domain.holidays import YEARS, Holiday, date_of, day_of, next_of
from doorward.errors import Conflict, InvalidInput, NotFound

_LONGEST_DAYS = 364


class HolidayDesk(RulesDesk):
    """What an operator does with holidays."""

    async def list(self) -> tuple[HolidayView, ...]:
        """All of them: first the one that comes next, last those that are over."""
        today = day_of(self._clock.now().astimezone(self._clock.zone).date())
        views = [_view(one, today) for one in self._rulebook.snapshot.rules.holidays]
        return tuple(
            sorted(views, key=lambda view: (view.next is None, view.next or view.first, view.name))
        )

    async def add(
        self, name: str, first: date, last: date | None, *, yearly: bool, actor: str
    ) -> HolidayView:
        """Add one. Raises InvalidInput, or Conflict for a name that there is."""
        name = clean_name(name, "name")
        last = last or first
        _check(first, last)
        if self._find(name) is not None:
            raise Conflict(
                f"there is a holiday {name} already",
                "remove it first, or add the year to its name",
                field="name",
            )
        holiday = Holiday(0, name, day_of(first), day_of(last), yearly)
        said = f"{first}" if first == last else f"{first} to {last}"
        why = f"{said}{', every year,' if yearly else ''} became a holiday, {name}."
        await self._publish(
            await self._store.add_holiday(holiday, self._row(audit.HOLIDAY_ADDED, actor, why))
        )
        return self._view_of(name)

    async def remove(self, name: str, *, actor: str) -> HolidayView:
        """Remove one by its name; the view is of what it was. Raises NotFound."""
        found = self._find(name)
        if found is None:
            raise NotFound(
                f"there is no holiday {name}", "doorward holiday list shows them all", field="name"
            )
        view = self._view_of(found.name)
        why = f"{found.name} is no holiday any more."
        row = self._row(audit.HOLIDAY_REMOVED, actor, why)
        await self._publish(await self._store.remove_holiday(found.id, row))
        return view

    def _find(self, name: str) -> Holiday | None:
        wanted = " ".join(name.split()).casefold()
        known = self._rulebook.snapshot.rules.holidays
        return next((one for one in known if one.name.casefold() == wanted), None)

    def _view_of(self, name: str) -> HolidayView:
        found = self._find(name)
        if found is None:
            raise NotFound(
                "the holiday was removed meanwhile", "doorward holiday list shows them all"
            )
        return _view(found, day_of(self._clock.now().astimezone(self._clock.zone).date()))


def _check(first: date, last: date) -> None:
    if first.year not in YEARS or last.year not in YEARS:
        raise InvalidInput(
            "that year is not one that boards know", "give one from 2000 to 2099", field="first"
        )
    if last < first:
        raise InvalidInput(
            "the holiday ends before it begins", "give a last day that is later", field="last"
        )
    if (last - first).days >= _LONGEST_DAYS:
        raise InvalidInput("that is no holiday but a year", "give fewer days", field="last")


def _view(holiday: Holiday, today: int) -> HolidayView:
    following = next_of(holiday, today)
    return HolidayView(
        holiday.name,
        date_of(holiday.first),
        date_of(holiday.last),
        holiday.yearly,
        date_of(following[0]) if following else None,
    )
