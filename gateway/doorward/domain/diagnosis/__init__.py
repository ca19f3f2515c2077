"""From what a board reads of itself to the next wire to move. Pure: no board is needed to try it.

`RULES` is a table: each row looks at the readings, and says what it finds or nothing. The first row that finds
something names what to do first.
"""

from collections.abc import Sequence

from doorward.domain.diagnosis import boards, inputs, locks, readers
from doorward.domain.diagnosis.findings import Finding, Readings, Rule
from doorward.domain.wiring import Wiring

RULES: tuple[Rule, ...] = (*readers.RULES, *inputs.RULES, *locks.RULES, *boards.RULES)


def diagnose(
    readings: Readings, wiring: Wiring, rules: Sequence[Rule] = RULES
) -> tuple[Finding, ...]:
    """Everything that is wrong, the next thing to do first. A board in order has no findings."""
    found = (rule.look(readings, wiring) for rule in rules)
    return tuple(finding for finding in found if finding is not None)


__all__ = ["RULES", "Finding", "Readings", "Rule", "diagnose"]
