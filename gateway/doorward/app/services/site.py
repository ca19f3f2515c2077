"""What can be asked about people, doors, boards and the rules; errors as in `services`."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from doorward.app.devices.desk import Adopted, AdoptionOrder
from doorward.app.devices.doors import DoorOrder
from doorward.app.firmware_ports import Bundle
from doorward.app.lighting.lights import LightOrder
from doorward.app.views.access import (
    Card,
    DoorView,
    Explanation,
    HolidayView,
    Level,
    Person,
    Release,
)
from doorward.app.views.boards import BoardView, FirmwareView, SelfTest, UpdateView
from doorward.app.views.fixtures import LightView, MotionView
from doorward.app.views.site import SiteBoard, SiteCard


class People(Protocol):
    """Persons, their cards and their access levels. Every change acts at once and is in the audit."""

    async def list(self) -> tuple[Person, ...]: ...

    async def add(
        self,
        name: str,
        levels: Sequence[str] = (),
        *,
        valid_from: date | None = None,
        valid_until: date | None = None,
        actor: str,
    ) -> Person:
        """Add a person with these access levels, by name, who may pass on these days, both included."""

    async def set_dates(
        self, person: str, valid_from: date | None, valid_until: date | None, *, actor: str
    ) -> Person:
        """Say between which days the person of that name may pass; None: no bound."""

    async def add_card(self, uid: bytes, person: str, *, actor: str) -> Card:
        """Give a card of 4, 7 or 10 bytes to the person of that name."""

    async def revoke_card(self, uid: bytes, *, actor: str) -> Card: ...

    async def add_code(
        self, person: str, code: str | None = None, *, actor: str
    ) -> tuple[Card, str]:
        """Give a code to the person of that name; with its digits, made without `code`."""

    async def revoke_codes(self, person: str, *, actor: str) -> tuple[Card, ...]:
        """Revoke every code of the person of that name."""

    async def levels(self) -> tuple[Level, ...]: ...


class Holidays(Protocol):
    """The days on which schedules are off. Every change acts at once and is in the audit."""

    async def list(self) -> tuple[HolidayView, ...]: ...

    async def add(
        self, name: str, first: date, last: date | None, *, yearly: bool, actor: str
    ) -> HolidayView:
        """Add a day, or all from first to last."""

    async def remove(self, name: str, *, actor: str) -> HolidayView: ...


class Doors(Protocol):
    """The doors as last heard of."""

    def list(self) -> tuple[DoorView, ...]: ...

    def get(self, door: str) -> DoorView:
        """The door with this id, or with this name in any case."""


class Releases(Protocol):
    """Opening a door from afar."""

    async def open(self, door: str, actor: str) -> Release:
        """Ask the board to open once. Returns after the audit row is committed; the state is `unknown`.

        Raises Unavailable when the board is offline: a release is never kept for later.
        """

    async def end_lockout(self, vault: str, actor: str) -> Release:
        """Ask a vault's board to let people try again; as `open`. Conflict where nobody is locked out."""

    async def end_wait(self, door: str, actor: str) -> Release:
        """Ask a door's board to look at codes again; as `open`. Conflict where no keypad waits."""


class Lights(Protocol):
    """Lamps, as last heard of, and set from afar."""

    def list(self) -> tuple[LightView, ...]: ...

    async def set(self, light: str, order: LightOrder, *, actor: str) -> LightView:
        """Set a lamp by id or name; returns when its board has done it."""


class Sensors(Protocol):
    """Motion sensors as last heard of."""

    def sensors(self) -> tuple[MotionView, ...]: ...


class Access(Protocol):
    """The rules, asked instead of lived."""

    def why(self, uid: bytes, door: str, at: datetime | None = None) -> Explanation:
        """What would happen, and by which rule. at None = now; without a zone it is the door's local time."""

    def why_code(self, digits: str, door: str, at: datetime | None = None) -> Explanation:
        """The same for a code. Raises InvalidInput, or TooManyAttempts for who guesses."""

    def card_of(self, person: str, tail: str | None = None) -> bytes:
        """The UID of this person's card; `tail` (its last digits) chooses among several."""


class Devices(Protocol):
    """The boards of the site. Every change acts at once and is in the audit."""

    def list(self) -> tuple[BoardView, ...]: ...

    def get(self, device: str) -> BoardView: ...

    async def approve(self, device: str, order: DoorOrder, *, actor: str) -> BoardView:
        """Trust a board that has announced itself with a door."""

    async def revoke(self, device: str, *, actor: str) -> BoardView:
        """Shut a board out for good; it is so when this returns."""

    async def rekey(self, device: str, *, actor: str) -> int:
        """Give a connected board a new key; returns the key's number once the board has used it."""


class FirmwareForBoards(Protocol):
    """The firmware that there is. Every change is in the audit."""

    def list(self) -> tuple[FirmwareView, ...]: ...

    async def sign(self, bundle: Bundle, *, actor: str) -> Bundle:
        """The same bundle with this site's signature."""

    async def add(self, data: bytes, *, actor: str) -> FirmwareView:
        """Keep a signed bundle for boards."""


class Updating(Protocol):
    """Boards take a firmware, one after the other; where one fails the others keep what they have."""

    def list(self) -> tuple[UpdateView, ...]:
        """The newest update of each board that ever had one."""

    async def begin(
        self, names: Sequence[str] | None, version: str | None, *, actor: str
    ) -> tuple[UpdateView, ...]:
        """Begin with these boards, or with all that are online and run another version; None: the newest."""

    async def cancel(self, names: Sequence[str] | None, *, actor: str) -> tuple[UpdateView, ...]:
        """Call back what these boards, or all, have not installed yet; those whose update ended so."""


class SelfTests(Protocol):
    """Boards that test themselves, and what to do about what they find."""

    def get(self, device: str) -> SelfTest | None:
        """The latest test of a board since the gateway started."""

    def diagram(self, device: str) -> str:
        """The board's wiring as SVG, with the wires marked that the latest test is about."""

    async def start(self, device: str, actor: str, *, move: bool = False) -> SelfTest:
        """Ask a board to test itself; `move`: its lock is released once and watched, on record as any release."""

    def heard(self, device: str, *, click: bool) -> SelfTest:
        """Somebody says whether the relay clicked while the lock was released."""


class Adopting(Protocol):
    """Making a board's secrets. Offered on the local socket alone."""

    async def adopt(self, order: AdoptionOrder, *, actor: str) -> Adopted:
        """What this returns is given out once."""


class Site(Protocol):
    """The virtual site of the demo."""

    def cards(self) -> tuple[SiteCard, ...]: ...

    async def boards(self) -> tuple[SiteBoard, ...]: ...

    def number(self, card: str) -> bytes:
        """The UID of the card with this key, or the UID that this is in hex."""

    async def tap(self, door: str, card: str) -> None:
        """Hold the card with this key, or this UID in hex, into the reader of the door."""

    async def contact(self, door: str, is_open: bool) -> None:
        """Move the door leaf."""

    async def key(self, board: str, keys: str) -> None:
        """Type on the keypad of a board."""

    async def press(self, board: str, part: str) -> None:
        """Press `rex`, `tamper` or `button` of a board for a moment."""

    async def pull(self, board: str, is_pulled: bool) -> None:
        """Pull at the door of a board, which opens it as soon as its lock lets go, or leave it alone."""

    async def faults(self) -> Mapping[str, str]:
        """What can be broken, and what that is."""

    async def fault(self, board: str, name: str, is_broken: bool) -> None:
        """Break something of a board, or mend it."""

    async def motion(self, board: str, is_there: bool) -> None:
        """Move before the sensor of a board, or leave."""
