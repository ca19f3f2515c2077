"""What every change of the rules has: one transaction with its audit row, effective at once, told to the boards."""

from collections.abc import Awaitable, Callable

from doorward.app.access.announcer import Announcer
from doorward.app.access.rulebook import Rulebook
from doorward.app.ports import Clock, RulesStore
from doorward.domain import audit
from doorward.domain.audit import AuditRow
from doorward.domain.credentials import tail
from doorward.domain.instants import milliseconds


class RulesDesk:
    """Where an operator changes rules. `changed` is awaited after each change: boards have to hear of it."""

    def __init__(
        self,
        rulebook: Rulebook,
        store: RulesStore,
        announcer: Announcer,
        clock: Clock,
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._rulebook = rulebook
        self._store = store
        self._announcer = announcer
        self._clock = clock
        self._changed = changed

    async def _publish(self, row: AuditRow) -> None:
        """Put in force what the store has committed with this row."""
        await self._rulebook.refresh()
        self._announcer.announce([row])
        await self._changed()

    def _row(
        self,
        kind: str,
        actor: str,
        why: str,
        *,
        person: str | None = None,
        card: bytes | None = None,
    ) -> AuditRow:
        return AuditRow(
            at_ms=milliseconds(self._clock.now()),
            kind=kind,
            source=audit.OPERATOR,
            person=person,
            card_tail=tail(card) if card else None,
            actor=actor,
            why=why,
        )
