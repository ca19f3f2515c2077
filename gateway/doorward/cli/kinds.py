"""What an argument may be, said before anything is asked of the gateway."""

import re
from datetime import date, datetime

import click

_UID_BYTES = (4, 7, 10)


class Uid(click.ParamType[str]):
    """A card's number in hex, with or without separators: 4, 7 or 10 bytes, as readers print it."""

    name = "uid"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Lower-case hex without separators."""
        digits = re.sub(r"[\s:.-]", "", value).lower()
        if not re.fullmatch(r"[0-9a-f]+", digits) or len(digits) % 2:
            self.fail("a card's UID is written in hex, like 04:A1:B2:C3", param, ctx)
        if len(digits) // 2 not in _UID_BYTES:
            self.fail(f"a card's UID has 4, 7 or 10 bytes, this one {len(digits) // 2}", param, ctx)
        return digits


class Card(Uid):
    """A card's number, or whatever else the gateway may know a card by: a key of the virtual site, last digits."""

    name = "card"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """A whole number as `Uid` has it; anything else as it is."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            return value


class Instant(click.ParamType[str]):
    """A date and time in ISO 8601. Without a zone it is the door's local time."""

    name = "time"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The same instant in canonical form."""
        try:
            return datetime.fromisoformat(value).isoformat()
        except ValueError:
            self.fail("a time is written like 2026-11-21T18:30", param, ctx)


class Day(click.ParamType[str]):
    """A date in ISO 8601."""

    name = "date"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The same date in canonical form."""
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            self.fail("a date is written like 2026-12-25", param, ctx)


UID = Uid()
CARD = Card()
DAY = Day()
INSTANT = Instant()
