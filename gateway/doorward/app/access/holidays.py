"""Holidays: named, counted in every decision from the moment they are kept, and in the audit."""

from collections.abc import Awaitable, Callable
from datetime import date

from doorward.app.access.announcer import Announcer
from doorward.app.access.rulebook import Rulebook
from doorward.app.names import clean_name
from doorward.app.ports import Clock, RulesStore
from doorward.app.views.access import HolidayView
from doorward.domain import audit
from doorward.domain.audit import AuditRow
from doorward.domain.holidays import YEARS, Holiday, date_of, day_of, next_of
from doorward.domain.instants import milliseconds
from doorward.errors import Conflict, InvalidInput, NotFound

_LONGEST_DAYS = 364


class HolidayDesk:
    """What an operator does with holidays. `changed` is awaited after each change: boards have to hear of it."""

    def __init__(
        self,
        rulebook: Rulebook,
        store: RulesStore,
        announcer: Announcer,
        clock: Clock,
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._rulebook = rulebook
        self._store = store
        self._announcer = announcer
        self._clock = clock
        self._changed = changed

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
        await self._publish(await self._store.add_holiday(holiday, self._row(why, actor)))
        return self._view_of(name)

    async def remove(self, name: str, *, actor: str) -> HolidayView:
        """Remove one by its name; the view is of what it was. Raises NotFound."""
        found = self._find(name)
        if found is None:
            raise NotFound(
                f"there is no holiday {name}", "doorward holiday list shows them all", field="name"
            )
        view = self._view_of(found.name)
        row = self._row(f"{found.name} is no holiday any more.", actor, audit.HOLIDAY_REMOVED)
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

    async def _publish(self, row: AuditRow) -> None:
        await self._rulebook.refresh()
        self._announcer.announce([row])
        await self._changed()

    def _row(self, why: str, actor: str, kind: str = audit.HOLIDAY_ADDED) -> AuditRow:
        now = milliseconds(self._clock.now())
        return AuditRow(at_ms=now, kind=kind, source=audit.OPERATOR, actor=actor, why=why)


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
