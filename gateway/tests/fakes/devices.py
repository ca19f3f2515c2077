"""The boards of a house in memory."""

from dataclasses import replace
from typing import TYPE_CHECKING

from doorward.app.board_files import BoardFiles
from doorward.app.device_doors import DoorOrder
from doorward.app.devices import Adopted, AdoptionOrder
from doorward.app.views import (
    BoardView,
)
from doorward.errors import (
    Conflict,
    InvalidInput,
    NotFound,
)

if TYPE_CHECKING:
    from fakes.services import FakeHouse


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
