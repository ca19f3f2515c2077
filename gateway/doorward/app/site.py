"""The virtual site of the demo: its cards, and hands to hold them."""

from collections.abc import Mapping
from dataclasses import dataclass

from doorward.app.door_states import DoorStates
from doorward.app.ports import LabHands
from doorward.app.rulebook import Rulebook
from doorward.app.views import Contact, SiteBoard, SiteCard
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
    ) -> None:
        """`cards` by the key they go by on the page and the command line."""
        self._site = site
        self._cards = cards
        self._rulebook = rulebook
        self._states = states

    def cards(self) -> tuple[SiteCard, ...]:
        """The cards that lie on the table."""
        return tuple(SiteCard(key, card.label, tail(card.uid)) for key, card in self._cards.items())

    async def boards(self) -> tuple[SiteBoard, ...]:
        """The virtual boards, with the door each keeps."""
        found = []
        for board, is_open in (await self._site.boards()).items():
            door = self._rulebook.snapshot.by_device.get(board)
            if door is not None:
                running = is_open is not None
                found.append(SiteBoard(board, door.id, door.name, running, _contact(is_open)))
        return tuple(found)

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
