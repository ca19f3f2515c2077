"""Who has come in by password, and from where: what strangers at the same address do is not held against them."""

from collections import OrderedDict
from collections.abc import Callable, Iterable

_PLACES = 16  # kept of one name, the last it came in from: nobody fills it with the names of others


class Welcome:
    """Pairs of a user's name and a place. Through `changed` the broker keeps them, and their order, over its restart.

    It is called with True for what is now the newest of its name, known before or not, and with False to forget it.
    """

    def __init__(self) -> None:
        """Begin with nobody."""
        self._places: dict[str, OrderedDict[str, None]] = {}
        self.changed: Callable[[str, str, bool], None] = _unheard

    def has(self, name: str, place: str) -> bool:
        """Whether that name came in from there."""
        return place in self._places.get(name, ())

    def add(self, name: str, place: str) -> None:
        """It has come in from there, with the right password."""
        places = self._places.setdefault(name, OrderedDict())
        if place == next(reversed(places), None):
            return  # as at most logins, which are to cost no write
        places[place] = None
        places.move_to_end(place)
        self.changed(name, place, True)
        if len(places) > _PLACES:
            oldest, _ = places.popitem(last=False)
            self.changed(name, oldest, False)

    def forget(self, name: str) -> None:
        """There is no such user any more."""
        for place in self._places.pop(name, ()):
            self.changed(name, place, False)

    def restore(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Take back what the store remembers."""
        for name, place in pairs:
            self._places.setdefault(name, OrderedDict())[place] = None


def _unheard(name: str, place: str, known: bool) -> None:
    """Nobody listens before there is a broker."""
