"""Every lamp and motion sensor as last heard of, and everybody told when that changes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from doorward.app.feed import LiveFeed
from doorward.app.messages.fleet import Device
from doorward.app.views.fixtures import LightView, MotionView
from doorward.errors import NotFound
from doorward_core.gateway_states import Reported

# What a board of each role has from the first day on; one that has more says so.
_LIGHTS = frozenset({"lamp"})
_SENSORS = frozenset({"motion"})


class Fixtures:
    """The live view. Nothing here is stored: after a restart the boards tell it again.

    `name` says what people call a board.
    """

    def __init__(self, name: Callable[[str], str], feed: LiveFeed) -> None:
        self._name = name
        self._feed = feed
        self._lights: dict[str, LightView] = {}
        self._sensors: dict[str, MotionView] = {}

    def lights(self) -> tuple[LightView, ...]:
        """All lamps by name."""
        return tuple(sorted(self._lights.values(), key=lambda one: one.name))

    def sensors(self) -> tuple[MotionView, ...]:
        """All motion sensors by name."""
        return tuple(sorted(self._sensors.values(), key=lambda one: one.name))

    def light(self, light: str) -> LightView:
        """The lamp with this id, or with this name in any case. Raises NotFound."""
        wanted = light.strip().casefold()
        for view in self._lights.values():
            if view.id == light or view.name.casefold() == wanted:
                return view
        known = ", ".join(view.id for view in self.lights()) or "none yet"
        raise NotFound(f"there is no lamp {light!r}", f"known: {known}", field="light")

    def expect(self, device_id: str, role: str) -> None:
        """A board of this role is trusted: what it is there for is shown before it has said a word."""
        if role in _LIGHTS:
            self._put_light(device_id)
        if role in _SENSORS:
            self._put_sensor(device_id)

    def heard(self, device: Device) -> None:
        """The board's presence may have changed."""
        self._both(device.id, online=device.online, heard_at=device.heard_at)

    def gone(self, device_id: str) -> None:
        """The board is not believed any more, and nobody expects it back."""
        light = self._lights.pop(device_id, None)
        if light is not None:
            self._feed.publish("fixture", replace(light, online=False))
        sensor = self._sensors.pop(device_id, None)
        if sensor is not None:
            self._feed.publish("fixture", replace(sensor, online=False))

    def reported(self, device: Device, state: Reported) -> None:
        """The board says what it is."""
        now = {"online": device.online, "heard_at": device.heard_at}
        if state.light is not None:
            level, kelvin, cause = state.light
            self._put_light(device.id, level=level, kelvin=kelvin, cause=cause, **now)
        if state.motion != "":
            self._put_sensor(device.id, motion=state.motion, **now)

    def moved(self, device_id: str, at: datetime) -> None:
        """The board's log says that somebody came."""
        self._put_sensor(device_id, moved_at=at)

    def measured(self, device_id: str, *, battery_mv: int | None = None, **_more: object) -> None:
        """The board says what feeds it."""
        if device_id in self._sensors and battery_mv is not None:
            self._put_sensor(device_id, battery_mv=battery_mv)

    def _both(self, device_id: str, **changes: Any) -> None:
        if device_id in self._lights:
            self._put_light(device_id, **changes)
        if device_id in self._sensors:
            self._put_sensor(device_id, **changes)

    def _put_light(self, device_id: str, **changes: Any) -> None:
        former = self._lights.get(device_id)
        known = former or LightView(device_id, "", online=False)
        view = replace(known, name=self._name(device_id), **changes)
        self._lights[device_id] = view
        if former is None or replace(former, heard_at=None) != replace(view, heard_at=None):
            self._feed.publish("fixture", view)

    def _put_sensor(self, device_id: str, **changes: Any) -> None:
        former = self._sensors.get(device_id)
        known = former or MotionView(device_id, "", online=False)
        view = replace(known, name=self._name(device_id), **changes)
        self._sensors[device_id] = view
        # Neither a heartbeat alone nor a few millivolts are news for the page.
        if former is None or _news(former) != _news(view):
            self._feed.publish("fixture", view)


def _news(view: MotionView) -> MotionView:
    tenths = None if view.battery_mv is None else view.battery_mv // 100
    return replace(view, heard_at=None, battery_mv=tenths)
