"""How far boards are with what they pull. Nothing of it is kept: they say it with each question."""

from dataclasses import dataclass

from doorward.app.feed import LiveFeed
from doorward.app.views.boards import UpdateView
from doorward.domain import updates
from doorward.domain.instants import instant
from doorward.domain.updates import UpdateOrder


@dataclass(slots=True)
class _Place:
    number: int
    percent: int
    heard: float
    furthest: int
    moved: float


class Progress:
    """By board; everybody who listens hears of each whole percent."""

    def __init__(self, feed: LiveFeed) -> None:
        self._feed = feed
        self._places: dict[str, _Place] = {}

    def asked(self, order: UpdateOrder, offset: int, total: int, now: float) -> bool:
        """A board asks for what stands at `offset`; True when that is another percent. now: monotonic, s."""
        percent = offset * 100 // total if total else 0
        before = self._places.get(order.device)
        place = _Place(order.number, percent, now, offset, now)
        if before is not None and before.number == order.number and offset <= before.furthest:
            place.furthest, place.moved = before.furthest, before.moved
        self._places[order.device] = place
        return before is None or (before.number, before.percent) != (order.number, percent)

    def heard(self, order: UpdateOrder, otherwise: float) -> float:
        """When the board last asked; one that has not since we started is given time from now on."""
        return self._place(order, otherwise).heard

    def moved(self, order: UpdateOrder, otherwise: float) -> float:
        """When the board last asked for what it had not asked for before: one that only asks gets nowhere."""
        return self._place(order, otherwise).moved

    def percent(self, order: UpdateOrder) -> int:
        """How much of it the board has."""
        if order.state in (updates.INSTALLED, updates.CONFIRMED):
            return 100
        place = self._places.get(order.device)
        return place.percent if place is not None and place.number == order.number else 0

    def _place(self, order: UpdateOrder, otherwise: float) -> _Place:
        place = self._places.get(order.device)
        if place is None or place.number != order.number:
            place = _Place(order.number, 0, otherwise, 0, otherwise)
            self._places[order.device] = place
        return place

    def tell(self, order: UpdateOrder) -> None:
        """Let everybody who listens know."""
        self._feed.publish("update", view_of(order, self.percent(order)))


def view_of(order: UpdateOrder, percent: int) -> UpdateView:
    """An order as people see it."""
    return UpdateView(
        device=order.device,
        version=order.version,
        state=order.state,
        percent=percent,
        reason=order.reason,
        actor=order.actor,
        rollout=order.rollout,
        changed_at=instant(order.changed_ms),
    )
