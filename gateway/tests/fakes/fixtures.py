"""Lamps and motion sensors of a house in memory."""

from dataclasses import replace
from typing import TYPE_CHECKING

from doorward.app.lighting.lights import LightOrder
from doorward.app.views.fixtures import LightView, MotionView
from doorward.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from fakes.services import FakeHouse

LAMP = LightView("lamp", "Hall lamp", online=True, level=40, kelvin=2700, cause="button")
SENSOR = MotionView("hall", "Hall", online=True, motion=False, battery_mv=3712)


class FakeFixtures:
    """What a test has put up."""

    def __init__(self, house: "FakeHouse") -> None:
        self._house = house
        self.lamps: dict[str, LightView] = {}
        self.watchers: dict[str, MotionView] = {}
        self.actors: list[str] = []

    def put(self, *views: LightView | MotionView) -> None:
        for view in views:
            if isinstance(view, LightView):
                self.lamps[view.id] = view
            else:
                self.watchers[view.id] = view
            self._house.feed.publish("fixture", view)

    def list(self) -> tuple[LightView, ...]:
        return tuple(self.lamps.values())

    def sensors(self) -> tuple[MotionView, ...]:
        return tuple(self.watchers.values())

    async def set(self, light: str, order: LightOrder, *, actor: str) -> LightView:
        order.check()
        view = self.lamps.get(light)
        if view is None:
            raise NotFound(f"there is no lamp {light!r}", "known: lamp", field="light")
        if not view.online:
            raise Unavailable(f"the board of {view.name} is offline", "its own button works")
        self.actors.append(actor)
        changed = replace(view, level=order.level, kelvin=order.kelvin or view.kelvin)
        self.put(replace(changed, cause="command"))
        return self.lamps[light]
