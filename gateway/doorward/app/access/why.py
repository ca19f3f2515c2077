"""The rules, asked instead of lived."""

from datetime import datetime

from doorward.app.access.code_guesses import CodeGuesses
from doorward.app.access.doors import DoorStates
from doorward.app.access.rulebook import Rulebook
from doorward.app.ports import Clock
from doorward.app.views.access import Explanation, Step
from doorward.domain import credentials, explain, ruling, typed_codes
from doorward.domain.ruling import Ruling
from doorward.errors import InvalidInput, NotFound
from doorward_core import access_rules


class WhyNot:
    """Runs the decision for any card, door and instant, and shows every rule on the way."""

    def __init__(self, rulebook: Rulebook, states: DoorStates, clock: Clock) -> None:
        self._rulebook = rulebook
        self._states = states
        self._clock = clock
        self._guesses = CodeGuesses(clock)

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
            card_tail=credentials.tail(uid),
            door_id=place.id,
            door_name=place.name,
            at=local,
        )

    def why_code(self, digits: str, door: str, at: datetime | None = None) -> Explanation:
        """Explain what would happen with a code. Raises InvalidInput, or TooManyAttempts for who guesses."""
        code = typed_codes.credential(digits)
        self._guesses.check()
        told = self.why(code, door, at)
        self._guesses.told(known=told.person is not None)
        return told

    def card_of(self, person: str, tail: str | None = None) -> bytes:
        """The UID of this person's card. `tail`, its last digits, chooses among several; revoked ones come last.

        Raises NotFound for somebody unknown or without that card, InvalidInput when there are several to choose from.
        """
        rules = self._rulebook.snapshot.rules
        wanted = " ".join(person.split()).casefold()
        known = next((one for one in rules.people if one.name.casefold() == wanted), None)
        if known is None:
            remedy = "doorward people list shows everybody"
            raise NotFound(f"there is no {person}", remedy, field="person")
        cards = [card for card in rules.credentials if card.person == known.id]
        if tail is None:
            cards = [card for card in cards if not card.revoked] or cards
        else:
            cards = [card for card in cards if _ends(card.uid, tail.casefold())]
        if not cards:
            problem = f"{known.name} has {'no card' if tail is None else 'no such card'}"
            raise NotFound(problem, "doorward people list shows who has which", field="card")
        if len(cards) > 1:
            tails = ", ".join(credentials.tail(card.uid) for card in cards)
            remedy = f"add --card with one of {tails}"
            raise InvalidInput(f"{known.name} has several cards", remedy, field="card")
        return cards[0].uid


def _ends(uid: bytes, tail: str) -> bool:
    code = credentials.kind(uid) == credentials.CODE
    return tail == credentials.CODE if code else uid.hex().endswith(tail)


def _steps(ruled: Ruling) -> tuple[Step, ...]:
    decision, facts = ruled.decision, ruled.facts
    steps = []
    for rule in access_rules.ORDER:
        tried = rule in decision.trace
        passed = (rule != decision.rule or ruled.granted) if tried else None
        if tried:
            said = explain.sentence(rule, passed is not False, facts)
        elif ruled.granted and rule == access_rules.RULE_SITE:
            passed, said = True, explain.NO_SITE_RULES  # there is nothing to try
        else:
            said = "Not reached."
        steps.append(Step(rule, explain.rule_name(rule), said, passed))
    return tuple(steps)
