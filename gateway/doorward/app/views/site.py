"""What is shown of the virtual site of the demo."""

from dataclasses import dataclass

from doorward.app.views.access import Contact


@dataclass(frozen=True, slots=True)
class SiteCard:
    """A card of the virtual site, by the name it goes by there."""

    key: str
    label: str
    tail: str


@dataclass(frozen=True, slots=True)
class SiteBoard:
    """A virtual board: the door it keeps, if it keeps one, what people call it, and what is wired to it."""

    id: str
    door_id: str | None
    door_name: str
    running: bool
    contact: Contact | None = None
    parts: tuple[str, ...] = ()
