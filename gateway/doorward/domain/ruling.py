"""One card at one door at one local time: look it up, decide, and say why."""

from datetime import datetime
from typing import NamedTuple

from doorward.domain import credentials, explain
from doorward.domain.doors import Door
from doorward.domain.explain import Facts
from doorward.domain.holidays import day_of
from doorward.domain.schedules import DAYS, describe
from doorward.domain.snapshot import Holder, Snapshot
from doorward_core import access, access_values

_PRESENTED = access_values.Request()


class Ruling(NamedTuple):
    """A decision with what it was about."""

    decision: access.Decision
    holder: Holder | None
    snapshot: Snapshot
    door: Door
    local: datetime
    what: str = "card"  # or a code

    @property
    def granted(self) -> bool:
        """True for GRANT alone."""
        return self.decision.verdict == access.GRANT

    @property
    def facts(self) -> Facts:
        """What there is to say about it. Put together when asked: the answer does not wait for it."""
        return facts(self.snapshot, self.holder, self.door, self.local, self.what)

    @property
    def sentence(self) -> str:
        """Why, for people."""
        return explain.sentence(self.decision.rule, self.granted, self.facts)


def rule(snapshot: Snapshot, uid: bytes, door: Door, local: datetime) -> Ruling:
    """Decide for a card at a door. `local` is the door's own time. Pure; a few microseconds."""
    holder = snapshot.holder(uid)
    day = day_of(local.date())
    decision = access.decide(
        snapshot.credential(holder, door.id),
        snapshot.policy(door.id),
        _PRESENTED,
        local.hour * 60 + local.minute,
        day,
        snapshot.state(day),
    )
    return Ruling(decision, holder, snapshot, door, local, credentials.kind(uid))


def facts(
    snapshot: Snapshot,
    holder: Holder | None,
    door: Door,
    local: datetime | None,
    what: str = "card",
) -> Facts:
    """What there is to say about a holder at a door."""
    moment = _moment(snapshot, local) if local else None
    if holder is None:
        return Facts(door.name, moment=moment, what=what)
    windows = describe(snapshot.windows(holder, door.id))
    dates = explain.between_dates(holder.person.valid_from, holder.person.valid_until)
    return Facts(door.name, holder.person.name, windows, moment, what, dates)


def _moment(snapshot: Snapshot, local: datetime) -> str:
    moment = f"{DAYS[local.weekday()]} {local:%H:%M}"
    holiday = snapshot.holiday(day_of(local.date()))
    return f"{moment}, a holiday ({holiday})" if holiday else moment
