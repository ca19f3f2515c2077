"""The virtual site of the demo: its cards, and hands to hold them."""

from collections.abc import Mapping
from dataclasses import dataclass

from doorward.app.access.doors import DoorStates
from doorward.app.access.rulebook import Rulebook
from doorward.app.devices.desk import DeviceDesk
from doorward.app.ports import LabHands
from doorward.app.views.access import Contact
from doorward.app.views.site import SiteBoard, SiteCard
from doorward.domain.credentials import parse_uid, tail
from doorward.errors import NotFound


@dataclass(frozen=True, slots=True)
class DemoCard:
    """A card of the site: what it is, and whom it shows."""

    label: str
    uid: bytes


class SiteDesk:
    """What the tap buttons do."""

    def __init__(
        self,
        site: LabHands,
        cards: Mapping[str, DemoCard],
        rulebook: Rulebook,
        states: DoorStates,
        devices: DeviceDesk,
    ) -> None:
        """`cards` by the key they go by on the page and the command line."""
        self._site = site
        self._cards = cards
        self._rulebook = rulebook
        self._states = states
        self._devices = devices

    def cards(self) -> tuple[SiteCard, ...]:
        """The cards that lie on the table."""
        return tuple(SiteCard(key, card.label, tail(card.uid)) for key, card in self._cards.items())

    async def boards(self) -> tuple[SiteBoard, ...]:
        """The virtual boards, with the door each keeps."""
        found = []
        for board, now in (await self._site.boards()).items():
            door = self._rulebook.snapshot.by_device.get(board)
            name = door.name if door else self._name(board)
            contact = _contact(now.contact_open) if now.running else None
            door_id = door.id if door else None
            found.append(SiteBoard(board, door_id, name, now.running, contact, now.parts))
        return tuple(found)

    def _name(self, board: str) -> str:
        try:
            return self._devices.get(board).name or board
        except NotFound:
            return board

    async def tap(self, door: str, card: str) -> None:
        """Hold a card, by key or UID, into the field of the door's reader."""
        await self._site.tap(self._board(door), self.number(card))

    def number(self, card: str) -> bytes:
        """The UID of a card of the site, by key, or of any card, by UID. Raises InvalidInput or NotFound."""
        known = self._cards.get(card)
        return known.uid if known else self._by_number(card)

    async def contact(self, door: str, is_open: bool) -> None:
        """Move the door leaf."""
        await self._site.contact(self._board(door), is_open)

    async def key(self, board: str, keys: str) -> None:
        """Type on the keypad of a board."""
        await self._site.key(self._any(board), keys)

    async def press(self, board: str, part: str) -> None:
        """Press a button of a board, or take its lid off for a moment: `rex`, `tamper` or `button`."""
        await self._site.press(self._any(board), part)

    async def motion(self, board: str, is_there: bool) -> None:
        """Move before the sensor of a board, or leave."""
        await self._site.motion(self._any(board), is_there)

    async def pull(self, board: str, is_pulled: bool) -> None:
        """Pull at the door of a board, or leave it alone."""
        await self._site.pull(self._any(board), is_pulled)

    async def faults(self) -> Mapping[str, str]:
        """What can be broken, and what that is."""
        return await self._site.faults()

    async def fault(self, board: str, name: str, is_broken: bool) -> None:
        """Break something of a board, or mend it. Raises NotFound for what cannot be broken."""
        known = await self._site.faults()
        if name not in known:
            raise NotFound(
                f"there is no fault {name!r}", f"known: {', '.join(known)}", field="fault"
            )
        await self._site.fault(self._any(board), name, is_broken)

    def _any(self, board: str) -> str:
        """A board by its id, its door or its name. Raises NotFound."""
        known = self._devices.list()
        wanted = board.strip().casefold()
        for one in known:
            if one.id == board or wanted in {
                (one.name or "").casefold(),
                (one.door_name or "").casefold(),
            }:
                return one.id
        names = ", ".join(one.id for one in known) or "none yet"
        raise NotFound(f"there is no board {board!r}", f"known: {names}", field="board")

    def _board(self, door: str) -> str:
        return self._rulebook.snapshot.doors[self._states.resolve(door)].device

    def _by_number(self, card: str) -> bytes:
        if not any(character.isdigit() for character in card):
            known = ", ".join(self._cards)
            raise NotFound(f"there is no card {card!r} here", f"known: {known}", field="card")
        return parse_uid(card, "card")


def _contact(is_open: bool | None) -> Contact | None:
    if is_open is None:
        return None
    return "open" if is_open else "closed"
