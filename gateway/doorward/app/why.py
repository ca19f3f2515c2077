"""The rules, asked instead of lived."""

from datetime import datetime

from doorward.app.door_states import DoorStates
from doorward.app.ports import Clock
from doorward.app.rulebook import Rulebook
from doorward.app.views import Explanation, Step
from doorward.domain import explain, ruling
from doorward.domain.credentials import tail
from doorward.domain.ruling import Ruling
from doorward_core import access


class WhyNot:
    """Runs the decision for any card, door and instant, and shows every rule on the way."""

    def __init__(self, rulebook: Rulebook, states: DoorStates, clock: Clock) -> None:
        self._rulebook = rulebook
        self._states = states
        self._clock = clock

    def why(self, uid: bytes, door: str, at: datetime | None = None) -> Explanation:
        """Explain. `at` None = now; without a zone it is the door's local time."""
        snapshot = self._rulebook.snapshot
        place = snapshot.doors[self._states.resolve(door)]
        zone = self._clock.zone
        when = at or self._clock.now()
        local = when.replace(tzinfo=zone) if when.tzinfo is None else when.astimezone(zone)
        ruled = ruling.rule(snapshot, uid, place, local)
        rule = ruled.decision.rule
        return Explanation(
            verdict="grant" if ruled.granted else "deny",
            rule=rule,
            rule_name=explain.rule_name(rule),
            sentence=ruled.sentence,
            steps=_steps(ruled),
            person=ruled.facts.person,
            card_tail=tail(uid),
            door_id=place.id,
            door_name=place.name,
            at=local,
        )


def _steps(ruled: Ruling) -> tuple[Step, ...]:
    decision, facts = ruled.decision, ruled.facts
    steps = []
    for rule in access.ORDER:
        tried = rule in decision.trace
        passed = (rule != decision.rule or ruled.granted) if tried else None
        said = explain.sentence(rule, passed is not False, facts) if tried else "Not reached."
        steps.append(Step(rule, explain.rule_name(rule), said, passed))
    return tuple(steps)
