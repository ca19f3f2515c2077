"""Every door as last heard of, and everybody told when that changes."""

from dataclasses import replace
from datetime import datetime, timedelta

from doorward.app.access.rulebook import Rulebook
from doorward.app.feed import LiveFeed
from doorward.app.messages.fleet import Device
from doorward.app.views.access import DoorView, Release
from doorward.app.views.audit import AuditEntry
from doorward.app.views.fixtures import Lockout
from doorward.domain.snapshot import Snapshot
from doorward.errors import NotFound
from doorward_core import lockout
from doorward_core.gateway_states import Reported

# What an event says about the door. A value that is not named stays as it was.
_EVENTS: dict[str, dict[str, object]] = {
    "door.open": {"contact": "open"},
    "door.closed": {"contact": "closed", "alarm": None},
    "door.forced": {"contact": "open", "alarm": "forced"},
    "door.held": {"contact": "open", "alarm": "held"},
    "lockout.cleared": {"lockout": None},
}


class DoorStates:
    """The live view of the doors. Nothing here is stored: after a restart the boards tell it again."""

    def __init__(self, rulebook: Rulebook, feed: LiveFeed) -> None:
        self._feed = feed
        self._views: dict[str, DoorView] = {}
        self._by_device: dict[str, str] = {}
        self.adopt(rulebook.snapshot)
        rulebook.on_change.append(self.adopt)

    def adopt(self, snapshot: Snapshot) -> None:
        """Take over which doors there are."""
        self._by_device = {door.device: door.id for door in snapshot.doors.values()}
        former = self._views
        doors = sorted(snapshot.doors.values(), key=lambda door: door.name)
        self._views = {
            door.id: replace(
                former.get(door.id, DoorView(door.id, door.name, False)), name=door.name
            )
            for door in doors
        }
        for view in self._views.values():
            if view.id in former and former[view.id] != view:
                self._feed.publish("door", view)

    def list(self) -> tuple[DoorView, ...]:
        """All doors by name."""
        return tuple(self._views.values())

    def get(self, door: str) -> DoorView:
        """The door with this id, or with this name in any case. Raises NotFound."""
        return self._views[self.resolve(door)]

    def resolve(self, door: str) -> str:
        """The id of a door by its id or name."""
        if door in self._views:
            return door
        for view in self._views.values():
            if view.name.casefold() == door.strip().casefold():
                return view.id
        known = ", ".join(view.id for view in self._views.values()) or "none yet"
        raise NotFound(f"there is no door {door!r}", f"known: {known}", field="door")

    def heard(self, device: Device) -> None:
        """The board's presence, firmware or policy may have changed."""
        self._change(
            device.id,
            online=device.online,
            firmware=device.firmware,
            policy_version=device.cache_version,
            heard_at=device.heard_at,
        )

    def gone(self, device_id: str) -> None:
        """The board is not believed any more: nothing is known of its door but what happened there."""
        self._change(
            device_id,
            online=False,
            locked=None,
            contact=None,
            alarm=None,
            lockout=None,
            codes_until=None,
            firmware=None,
            policy_version=None,
        )

    def reported(self, device: Device, state: Reported) -> None:
        """The board says what it is."""
        self._change(
            device.id,
            locked=state.lock == "locked",
            contact=state.contact,
            alarm=state.alarm,
            policy_version=state.cache_version,
            firmware=state.firmware,
            lockout=lockout_of(state, device.heard_at),
            codes_until=_over(state, device.heard_at) if not state.state else None,
            vault=state.state or None,
        )

    def happened(self, device_id: str, kind: str, data: dict[str, object]) -> None:
        """The board's log says that something happened."""
        if kind == "lock.changed" and isinstance(data.get("locked"), bool):
            self._change(device_id, locked=data["locked"])
        elif "wrong" in data and kind in ("lockout.entered", "lockout.cleared"):
            return  # of the keypad alone: cards know nothing of it
        elif kind == "lockout.entered" and "reader" in data:
            self._change(device_id, lockout=Lockout("guarded"))
        elif kind in _EVENTS:
            self._change(device_id, **_EVENTS[kind])

    def measured(
        self, device_id: str, *, battery_mv: int | None = None, attempts: int | None = None
    ) -> None:
        """What the board counts and measures. What is not named stays as it was."""
        told = {"battery_mv": battery_mv, "attempts": attempts}
        self._change(
            device_id, **{name: value for name, value in told.items() if value is not None}
        )

    def wanted(self, device_id: str, version: int) -> None:
        """The board should hold this version of the rules."""
        self._change(device_id, policy_wanted=version)

    def last(self, entry: AuditEntry) -> None:
        """The newest thing that is known about a door."""
        view = self._views.get(entry.door_id or "")
        if view is not None and (view.last is None or view.last.id < entry.id):
            self._put(replace(view, last=entry))

    def released(self, release: Release) -> None:
        """The latest release of a door."""
        view = self._views.get(release.door_id)
        if view is not None:
            self._put(replace(view, release=release))

    def _change(self, device_id: str, **changes: object) -> None:
        view = self._views.get(self._by_device.get(device_id, ""))
        if view is not None:
            self._put(replace(view, **changes))  # type: ignore[arg-type]  # fields of DoorView

    def _put(self, view: DoorView) -> None:
        former = self._views.get(view.id)
        self._views[view.id] = view
        # A heartbeat alone is no news for the page.
        if former is None or replace(former, heard_at=None) != replace(view, heard_at=None):
            self._feed.publish("door", view)


def lockout_of(state: Reported, at: datetime | None) -> Lockout | None:
    """What a board says about failed attempts. at: when it said so."""
    if state.state == lockout.STATE:
        return Lockout("locked", _over(state, at))
    return Lockout("guarded") if state.guarded else None


def _over(state: Reported, at: datetime | None) -> datetime | None:
    """When what holds a vault, or a door's keypad, is over by itself."""
    return None if at is None or state.hold_s is None else at + timedelta(seconds=state.hold_s)
