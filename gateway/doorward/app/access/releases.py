"""Remote release: on record first, then a challenge, then one command; opened when the board says so."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from doorward.app.access.announcer import Announcer
from doorward.app.access.doors import DoorStates
from doorward.app.access.rulebook import Rulebook
from doorward.app.feed import LiveFeed
from doorward.app.messages.commands import command, new_id
from doorward.app.messages.fleet import Device, Fleet
from doorward.app.ports import AuditStore, Clock, Timer
from doorward.app.views.access import Release, ReleaseKind, ReleaseState
from doorward.domain import audit
from doorward.domain.audit import AuditRow
from doorward.domain.doors import Door
from doorward.domain.instants import milliseconds
from doorward.errors import Conflict
from doorward_core import seal, topics
from doorward_core.gateway_messages import CommandAck

_log = structlog.get_logger(__name__)

TTL_S = 10
_KEPT = 64
_FAILED = {"refused": "the board refused", "unknown": "the board does not know the command"}


@dataclass(frozen=True, slots=True)
class _Words:
    """How one kind of release is told. failed: by the board's result."""

    asked: str
    under_way: str
    undone: str
    failed: Mapping[str, str]


_WORDS: dict[ReleaseKind, _Words] = {
    "open": _Words(
        "Asked to open from afar.",
        "is being opened already",
        "Not opened",
        _FAILED | {"already": "the door stands open already"},
    ),
    "end_lockout": _Words(
        "Asked to end the lockout.",
        "was asked to end its lockout already",
        "Nothing ended",
        _FAILED | {"already": "there is no lockout that ends from afar"},
    ),
    "end_wait": _Words(
        "Asked to end the keypad's wait.",
        "was asked to end its keypad's wait already",
        "Nothing ended",
        _FAILED
        | {
            "already": "its keypad waits no longer",
            "refused": "its keypad was released once already, and only time ends this wait",
        },
    ),
}


@dataclass(slots=True)
class _Pending:
    """A release on its way. challenged: its one command has been sent."""

    release: Release
    door: Door
    timer: Timer | None = None
    challenged: bool = False


class Releases:
    """All releases of this run; a restart forgets them, the board's nonce with them."""

    def __init__(
        self,
        rulebook: Rulebook,
        fleet: Fleet,
        states: DoorStates,
        store: AuditStore,
        feed: LiveFeed,
        announcer: Announcer,
        clock: Clock,
    ) -> None:
        self._rulebook = rulebook
        self._fleet = fleet
        self._states = states
        self._store = store
        self._feed = feed
        self._announcer = announcer
        self._clock = clock
        self._known: dict[str, _Pending] = {}

    async def open(self, door: str, actor: str) -> Release:
        """Ask the door's board to open once. Raises NotFound, Unavailable or Conflict."""
        return await self._ask(door, actor)

    async def end_lockout(self, vault: str, actor: str) -> Release:
        """Ask a vault's board to let people try again; it stays locked. Raises as `open` does."""
        view = self._states.get(vault)
        if view.vault is None:
            raise Conflict(f"{view.name} is no vault", "`doorward vault list` shows them all")
        if view.lockout is None:
            raise Conflict(f"{view.name} is not locked out", "there is nothing to end")
        return await self._ask(vault, actor, "end_lockout")

    async def end_wait(self, door: str, actor: str) -> Release:
        """Ask a door's board to look at codes again before its keypad's wait is over: it opens nothing.

        Raises as `open` does. At a vault it is `end_lockout`.
        """
        view = self._states.get(door)
        if view.vault is not None:
            return await self.end_lockout(door, actor)
        if view.codes_until is None:
            raise Conflict(f"no keypad of {view.name} waits", "there is nothing to end")
        return await self._ask(door, actor, "end_wait")

    async def _ask(self, door: str, actor: str, kind: ReleaseKind = "open") -> Release:
        place = self._rulebook.snapshot.doors[self._states.resolve(door)]
        called, remedy = f"the board of {place.name}", "open it with a card or the key"
        device = self._fleet.present(place.device, called, remedy, field="door")
        last = self._states.get(place.id).release
        if last is not None and last.state == "unknown":
            raise Conflict(f"{place.name} {_WORDS[last.kind].under_way}", "wait for the result")
        pending = self._begin(place, actor, kind)
        await self._record(pending, audit.RELEASE_REQUESTED, _WORDS[kind].asked)
        pending.timer = self._clock.call_later(TTL_S, lambda: self._expire(pending))
        body = self._command("challenge", {"for": "unlock"}, pending)
        self._fleet.tell(device, topics.CONTROL, body)
        return pending.release

    def acknowledged(self, device: Device, ack: CommandAck) -> None:
        """The board offers its nonce, or says how it went."""
        pending = self._known.get(ack.command_id)
        if pending is None or pending.door.device != device.id:
            return
        if ack.nonce is not None:
            self._unlock(pending, ack.nonce)
            return
        failed = _WORDS[pending.release.kind].failed.get(ack.result or "")
        if failed is not None:
            self._fail(pending, failed)

    def actor(self, command_id: str) -> str | None:
        """Who asked for this release, None for one that this run knows nothing of."""
        pending = self._known.get(command_id)
        return pending.release.actor if pending else None

    def opened(self, command_id: str) -> None:
        """The board's own event says that the door was released: late or not, that is what happened."""
        pending = self._known.get(command_id)
        if pending is not None:
            self._settle(pending, "opened", None)

    def _begin(self, door: Door, actor: str, kind: ReleaseKind) -> _Pending:
        now = self._clock.now()
        release = Release(
            id=new_id(),
            door_id=door.id,
            door_name=door.name,
            actor=actor,
            state="unknown",
            requested_at=now,
            expires_at=now + timedelta(seconds=TTL_S),
            kind=kind,
        )
        pending = self._known[release.id] = _Pending(release, door)
        while len(self._known) > _KEPT:
            self._known.pop(next(iter(self._known)))
        self._tell(release)
        return pending

    def _unlock(self, pending: _Pending, nonce: bytes) -> None:
        if pending.challenged or pending.release.state != "unknown":
            # Late, or a second nonce for a command that was sent: one release, one command.
            return
        pending.challenged = True
        if pending.release.kind == "open":
            seconds = max(1, pending.door.strike_ms // 1000)
            body = self._command("unlock", {"seconds": seconds}, pending)
        else:
            body = self._command("release", {}, pending)
        self._fleet.say(pending.door.device, topics.CONTROL, seal.nonce_word(nonce), body)

    def _command(self, name: str, parameters: dict[str, object], pending: _Pending) -> bytes:
        return command(name, parameters, pending.release.id, TTL_S, self._clock)

    def _expire(self, pending: _Pending) -> None:
        if pending.release.state == "unknown":
            note = "no word from the board"
            self._settle(pending, "expired", note)
            self._note(pending, audit.RELEASE_EXPIRED, note)

    def _fail(self, pending: _Pending, note: str) -> None:
        if pending.release.state == "unknown":
            self._settle(pending, "failed", note)
            self._note(pending, audit.RELEASE_FAILED, note)

    def _settle(self, pending: _Pending, state: ReleaseState, note: str | None) -> None:
        if pending.timer is not None:
            pending.timer.cancel()
        pending.release = replace(pending.release, state=state, note=note)
        self._tell(pending.release)

    def _tell(self, release: Release) -> None:
        self._states.released(release)
        self._feed.publish("release", release)

    async def _record(self, pending: _Pending, kind: str, why: str) -> None:
        try:
            stored = await self._store.append(self._row(pending, kind, why))
        except Exception:
            # Nothing is sent that is not on record.
            self._settle(pending, "failed", "it could not be put on record")
            raise
        self._announcer.announce([stored])

    def _note(self, pending: _Pending, kind: str, note: str) -> None:
        def committed(rows: list[AuditRow] | None, error: Exception | None) -> None:
            if error is not None:
                _log.error("audit.failed", kind=kind, error=str(error))
            self._announcer.announce(rows)

        what = _WORDS[pending.release.kind].undone
        self._store.record(self._row(pending, kind, f"{what}: {note}."), committed)

    def _row(self, pending: _Pending, kind: str, why: str) -> AuditRow:
        release, door = pending.release, pending.door
        return AuditRow(
            at_ms=milliseconds(self._clock.now()),
            kind=kind,
            source=audit.OPERATOR if kind == audit.RELEASE_REQUESTED else audit.GATEWAY,
            device=door.device,
            door_id=door.id,
            door_name=door.name,
            why=why,
            actor=release.actor,
            note=release.id,
        )
