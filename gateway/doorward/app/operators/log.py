"""What operators do, for the audit. Failed sign-ins are counted together: guessing must not fill the disk."""

from collections.abc import Callable, Iterable

from doorward.app.ports import AuditStore, Clock
from doorward.domain import audit
from doorward.domain.audit import AuditRow
from doorward.domain.instants import milliseconds

_TOGETHER_S = 60.0
_NOBODY = "nobody we know"


class OperatorLog:
    """Makes rows, and tells them once they are committed."""

    def __init__(
        self,
        store: AuditStore,
        clock: Clock,
        announce: Callable[[Iterable[AuditRow]], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._announce = announce
        # By operator: how many failures have not been told yet. An unknown name is never kept: it may be a password.
        self._failures: dict[str, int] = {}

    def row(self, kind: str, actor: str, why: str, note: str | None = None) -> AuditRow:
        """A row about an operator."""
        return AuditRow(
            at_ms=milliseconds(self._clock.now()),
            kind=kind,
            source=audit.OPERATOR,
            actor=actor,
            why=why,
            note=note,
        )

    def announce(self, row: AuditRow | None) -> None:
        """Tell a row that is committed."""
        if row is not None:
            self._announce([row])

    async def write(self, kind: str, actor: str, why: str, note: str | None = None) -> None:
        """Commit a row, then tell it."""
        self.announce(await self._store.append(self.row(kind, actor, why, note)))

    async def failed(self, username: str | None, address: str) -> None:
        """Record a failed sign-in: the first at once, those of the next minute as one row."""
        name = username or _NOBODY
        if name in self._failures:
            self._failures[name] += 1
            return
        self._failures[name] = 0
        self._clock.call_later(_TOGETHER_S, lambda: self._tell_the_rest(name))
        await self.write(audit.LOGIN_FAILED, name, f"A sign-in as {name} failed.", _from(address))

    def _tell_the_rest(self, name: str) -> None:
        count = self._failures.pop(name, 0)
        if count:
            why = f"{count} more sign-ins as {name} failed within a minute."
            row = self.row(audit.LOGIN_FAILED, name, why)
            self._store.record(row, lambda rows, _: self._announce(rows or ()))


def _from(address: str) -> str | None:
    return f"from {address}" if address else None
