"""The boards of a house in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from doorward.app.devices.desk import Adopted, AdoptionOrder
from doorward.app.devices.doors import DoorOrder
from doorward.app.devices.files import BoardFiles
from doorward.app.firmware_ports import Bundle
from doorward.app.views.boards import BoardView, FirmwareView, UpdateView
from doorward.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    Unavailable,
)
from doorward.firmware.bundle import unpack

if TYPE_CHECKING:
    from fakes.services import FakeHouse


class FakeFirmware:
    """What ships; and what somebody adds, whatever it is."""

    def __init__(self) -> None:
        self.views = [FirmwareView("0.2.0", ships=True)]

    def list(self) -> tuple[FirmwareView, ...]:
        return tuple(self.views)

    async def sign(self, bundle: Bundle, *, actor: str) -> Bundle:
        return bundle.signed(actor.encode())

    async def add(self, data: bytes, *, actor: str) -> FirmwareView:
        bundle = unpack(data)
        if not bundle.signature:
            raise InvalidInput(
                f"firmware {bundle.version} is not signed by this site", field="file"
            )
        self.views.append(FirmwareView(bundle.version, actor=actor))
        return self.views[-1]


class FakeUpdates:
    """Boards that take what they are told to at once, and say no more."""

    def __init__(self, house: "FakeHouse", devices: "FakeDevices") -> None:
        self._house = house
        self._devices = devices
        self.views: dict[str, UpdateView] = {}

    def list(self) -> tuple[UpdateView, ...]:
        return tuple(self.views.values())

    async def begin(
        self, names: Sequence[str] | None, version: str | None, *, actor: str
    ) -> tuple[UpdateView, ...]:
        chosen = ["front"] if names is None else list(names)
        for name in chosen:
            if not self._devices.get(name).online:
                raise Unavailable(f"the board {name} is offline", field="id")
        views = [self.say(name, version or "0.2.0", "offered", actor=actor) for name in chosen]
        return tuple(views)

    async def cancel(self, names: Sequence[str] | None, *, actor: str) -> tuple[UpdateView, ...]:
        chosen = list(self.views) if names is None else list(names)
        if not chosen:
            raise Conflict("no update is under way that could be cancelled")
        for name in chosen:
            self._devices.get(name)
        return tuple(
            self.say(name, self.views[name].version, "cancelled", actor=actor) for name in chosen
        )

    def say(
        self, name: str, version: str, state: str, percent: int = 0, actor: str = "ada"
    ) -> UpdateView:
        """Let a board be further on, and tell."""
        now = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
        view = UpdateView(name, version, state, percent, "", actor, 1, now)
        self.views[name] = view
        boards = self._devices.boards
        boards[name] = replace(boards[name], update=view)
        self._house.feed.publish("update", view)
        return view


class FakeDevices:
    """One board that keeps the front door, one that wants to be named."""

    def __init__(self, house: "FakeHouse") -> None:
        self._house = house
        self.boards = {
            "front": BoardView(
                "front", "door-esp32", "approved", "front", "Front door", online=True
            ),
            "side": BoardView("side", "door-esp32", "announced", firmware="0.1.0"),
        }
        self.actors: list[str] = []
        self.firmware = FakeFirmware()
        self.updates = FakeUpdates(house, self)

    def list(self) -> tuple[BoardView, ...]:
        return tuple(self.boards.values())

    def get(self, device: str) -> BoardView:
        if device not in self.boards:
            raise NotFound(f"there is no board {device!r}", "known: front, side", field="id")
        return self.boards[device]

    def change(self, device: str, kind: str, **changes: object) -> BoardView:
        """Change what is known of a board, and tell."""
        board = self.boards[device] = replace(self.get(device), **changes)  # type: ignore[arg-type]  # as its fields
        self._house.record(kind=kind, note=device)
        return board

    async def approve(self, device: str, order: DoorOrder, *, actor: str) -> BoardView:
        if self.get(device).state != "announced":
            raise Conflict(f"the board {device} is approved already", field="id")
        if not order.name:
            raise InvalidInput("door: give 1 to 80 characters", field="door")
        self.actors.append(actor)
        return self.change(
            device, "device.approved", state="approved", door_id=device, door_name=order.name
        )

    async def revoke(self, device: str, *, actor: str) -> BoardView:
        self.actors.append(actor)
        return self.change(device, "device.revoked", state="revoked", online=False)

    async def rekey(self, device: str, *, actor: str) -> int:
        self.get(device)
        return 2

    async def adopt(self, order: AdoptionOrder, *, actor: str) -> Adopted:
        known = order.id in self.boards
        if known and not order.again:
            raise Conflict(f"the board {order.id} is known already", "--again", field="id")
        board = self.boards[order.id] = BoardView(order.id, order.board, "waiting")
        files = BoardFiles({"id": order.id, "secret": "5e" * 32}, {"key.der": b"\x30\x00"})
        return Adopted(board, known, files)
