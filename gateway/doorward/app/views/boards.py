"""What is shown of boards: themselves, their firmware and updates, their self-tests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from doorward.domain import updates
from doorward.domain.diagnosis import Finding


@dataclass(frozen=True, slots=True)
class FirmwareView:
    """A firmware for boards. ships: it came with this gateway. added_at: None while nobody has used or added it."""

    version: str
    ships: bool = False
    epoch: int | None = None
    size: int | None = None
    added_at: datetime | None = None
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class UpdateView:
    """What became of a board's newest update. state: as in `domain.updates`. percent: how much of it the board has."""

    device: str
    version: str
    state: str
    percent: int
    reason: str
    actor: str
    rollout: int
    changed_at: datetime

    @property
    def meaning(self) -> str:
        """The reason in words."""
        return updates.meaning(self.reason)


@dataclass(frozen=True, slots=True)
class BoardView:
    """A board of the site. state: waiting, announced, approved or revoked; what it says itself is in `firmware`.

    rejected: how many of its messages were refused since the gateway started. certificate: False for a board that was
    put up before there were certificates. available: a newer firmware, if there is one.
    """

    id: str
    board: str
    state: str
    door_id: str | None = None
    door_name: str | None = None
    online: bool = False
    firmware: str | None = None
    heard_at: datetime | None = None
    rejected: int = 0
    adopted_at: datetime | None = None
    approved_at: datetime | None = None
    revoked_at: datetime | None = None
    certificate: bool = True
    available: str | None = None
    update: UpdateView | None = None
    role: str = "door"
    name: str | None = None  # of a board that keeps no door


@dataclass(frozen=True, slots=True)
class SelfTest:
    """A board's test of itself, as far as it has come.

    state: `reading`; `watching` the lock, which still holds; `released`, and watched on; `done`; or `failed`, and
    `note` says why. readings: by part, as the board sent them. findings: when it is over, the first thing to do first;
    none means that all is well with what was read.
    """

    id: str
    device: str
    actor: str
    state: str
    began_at: datetime
    readings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    note: str | None = None

    @property
    def running(self) -> bool:
        """Whether more is to come."""
        return self.state not in ("done", "failed")

    @property
    def unsure(self) -> bool:
        """Whether it would help to know if the relay was heard."""
        return any(finding.code == "lock.unmoved" for finding in self.findings)
