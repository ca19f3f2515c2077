"""How the people read on their page."""

from typing import NamedTuple

from doorward.app.views.access import Person
from doorward.domain.credentials import CODE


class Held(NamedTuple):
    """How many cards and codes somebody has that hold."""

    cards: int
    codes: int


def held(person: Person) -> Held:
    """What of somebody's opens anything."""
    good = [card.tail for card in person.cards if not card.revoked]
    return Held(sum(tail != CODE for tail in good), good.count(CODE))
