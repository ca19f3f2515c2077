"""Holidays in memory."""

from datetime import date

from doorward.app.views.access import HolidayView
from doorward.errors import Conflict, NotFound


class FakeHolidays:
    def __init__(self) -> None:
        self.views: dict[str, HolidayView] = {}
        self.actors: list[str] = []

    async def list(self) -> tuple[HolidayView, ...]:
        return tuple(self.views.values())

    async def add(
        self, name: str, first: date, last: date | None, *, yearly: bool, actor: str
    ) -> HolidayView:
        if name in self.views:
            raise Conflict(f"{name} is there already", "remove it first", field="name")
        self.actors.append(actor)
        self.views[name] = HolidayView(name, first, last or first, yearly, first)
        return self.views[name]

    async def remove(self, name: str, *, actor: str) -> HolidayView:
        if name not in self.views:
            raise NotFound(f"there is no holiday {name}", "list them", field="name")
        self.actors.append(actor)
        return self.views.pop(name)
