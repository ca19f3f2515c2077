"""The lock and the door contact, from a release during which somebody pulled at the door.

The readings: what the contact said to begin with, with the door shut; how often it was looked at, was high, and
changed, while the lock should hold and after it was released; and, where somebody was asked, whether the relay clicked.
A board that takes its door for open does not release it: then somebody opens it by its handle or key.
"""

from dataclasses import dataclass

from doorward.domain.diagnosis.findings import Finding, Readings, Rule
from doorward.domain.wiring import Wiring


@dataclass(frozen=True, slots=True)
class _Phase:
    looks: int
    high: int
    changes: int


@dataclass(frozen=True, slots=True)
class _Watched:
    shut: bool  # as the contact said to begin with
    held: _Phase
    released: _Phase
    click: bool | None

    @property
    def moved(self) -> bool:
        """The contact changed."""
        return bool(self.held.changes or self.released.changes)


def _watched(readings: Readings, wiring: Wiring) -> _Watched | None:
    """What was seen; None when the lock was not watched."""
    said = readings.get("lock", {})
    closed = wiring.parts.get("contact", {}).get("closed")
    phases = [_phase(said.get(name)) for name in ("held", "released")]
    first, click = said.get("first"), said.get("click")
    if closed not in (0, 1) or first not in (0, 1) or phases[0] is None or phases[1] is None:
        return None
    heard = click if isinstance(click, bool) else None
    return _Watched(first == closed, phases[0], phases[1], heard)


def _phase(counts: object) -> _Phase | None:
    if not isinstance(counts, list) or len(counts) != 3:
        return None
    if not all(isinstance(count, int) for count in counts):
        return None
    return _Phase(*counts)


def _stayed(seen: _Watched | None) -> bool:
    """The lock was released, and the contact said from the first to the last look that the door is shut."""
    return seen is not None and seen.shut and not seen.moved and seen.released.looks > 0


def _dead(readings: Readings, wiring: Wiring) -> Finding | None:
    seen = _watched(readings, wiring)
    if seen is None or not _stayed(seen) or seen.click is not False:
        return None
    return Finding(
        "relay.dead",
        "The lock was released, and no relay was heard",
        "the relay board has no power, or does not hear; "
        f"check its VCC and GND, then the wire of {wiring.at('strike.pin')}",
        ("strike.pin",),
    )


def _supply(readings: Readings, wiring: Wiring) -> Finding | None:
    seen = _watched(readings, wiring)
    if seen is None or not _stayed(seen) or not seen.click:
        return None
    return Finding(
        "lock.supply",
        "The relay clicked, and the door stayed shut",
        "the lock has no current; check its own supply, then COM and NO of the relay, then the diode's direction",
        ("strike.pin",),
    )


def _unmoved(readings: Readings, wiring: Wiring) -> Finding | None:
    seen = _watched(readings, wiring)
    if not _stayed(seen) or seen is None or seen.click is not None:
        return None
    return Finding(
        "lock.unmoved",
        "The lock was released, and the door stayed shut",
        "say whether the relay clicked: if it did, the lock's own supply is off; "
        f"if not, check the relay's VCC, GND and the wire of {wiring.at('strike.pin')}",
        ("strike.pin",),
    )


def _inverted_relay(readings: Readings, wiring: Wiring) -> Finding | None:
    seen = _watched(readings, wiring)
    if seen is None or not seen.shut or not seen.held.changes:
        return None
    return Finding(
        "relay.inverted",
        "The door opened while its lock should hold",
        "the lock's wire is on NC, or the relay switches at the other level; "
        f"move it from NC to NO, or turn `active` of the strike round: {wiring.at('strike.pin')}",
        ("strike.pin",),
    )


def _contact_off(readings: Readings, wiring: Wiring) -> Finding | None:
    seen = _watched(readings, wiring)
    if seen is None or seen.shut or seen.moved:
        return None
    return Finding(
        "contact.off",
        "The door contact says open all the time, though the door was shut",
        f"one of its two wires is off, or its magnet is too far away; check {wiring.at('contact.pin')} and its GND",
        ("contact.pin",),
    )


def _contact_inverted(readings: Readings, wiring: Wiring) -> Finding | None:
    seen = _watched(readings, wiring)
    if seen is None or seen.shut or not seen.moved:
        return None
    return Finding(
        "contact.inverted",
        "The door contact says open while the door is shut, and shut while it is open",
        "it is of the other kind; take its other terminal, "
        f"or turn `closed` of the contact round: {wiring.at('contact.pin')}",
        ("contact.pin",),
    )


RULES = (
    Rule("relay.inverted", _inverted_relay),
    Rule("contact.off", _contact_off),
    Rule("contact.inverted", _contact_inverted),
    Rule("relay.dead", _dead),
    Rule("lock.supply", _supply),
    Rule("lock.unmoved", _unmoved),
)
