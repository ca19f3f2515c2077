"""Sessions: opaque tokens, of which memory and store know the SHA-256 alone."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from doorward.app.operators import opaque
from doorward.app.operators.accounts import key
from doorward.app.ports import Clock, OperatorStore
from doorward.app.records import OpenSession
from doorward.app.views.operators import OwnSession
from doorward.domain.instants import instant, milliseconds
from doorward.errors import NotFound

LIFETIME_S = 7 * 24 * 3600.0
IDLE_S = 12 * 3600.0
FRESH_S = 600.0
_KEEP_EVERY_S = 300.0  # how exactly the store knows when a session was used last
_LONGEST_AGENT = 200


@dataclass(slots=True)
class _Live:
    """A session with its deadlines on the monotonic clock; proved: when a password or a code was shown last."""

    kept: OpenSession
    ends: float
    seen: float
    proved: float
    written: float


class Sessions:
    """Begins sessions, finds them, and ends them: by time, by hand, all of somebody at once."""

    def __init__(self, store: OperatorStore, clock: Clock) -> None:
        """Sessions of an earlier run go on, but nobody of them has proved anything to this one."""
        self._store = store
        self._clock = clock
        now, now_ms = clock.monotonic(), milliseconds(clock.now())
        self._live = {
            kept.token: _Live(
                kept,
                ends=now + min((kept.expires_ms - now_ms) / 1000, LIFETIME_S),
                seen=now - max((now_ms - kept.seen_ms) / 1000, 0),
                proved=now - FRESH_S,
                written=now,
            )
            for kept in store.sessions()
        }

    async def begin(self, username: str, address: str, agent: str) -> str:
        """Start a session that was proved right now; returns its token."""
        token = opaque.make()
        now_ms = milliseconds(self._clock.now())
        kept = OpenSession(
            token=opaque.digest(token),
            username=username,
            csrf=secrets.token_urlsafe(24),
            expires_ms=now_ms + int(LIFETIME_S * 1000),
            begun_ms=now_ms,
            seen_ms=now_ms,
            address=address,
            agent=_printable(agent),
        )
        await self._store.drop_sessions_before(now_ms)
        await self._store.put_session(kept)
        now = self._clock.monotonic()
        self._live = {hashed: live for hashed, live in self._live.items() if self._runs(live)}
        self._live[kept.token] = _Live(kept, now + LIFETIME_S, now, now, now)
        return token

    def find(self, token: str, *, use: bool) -> OpenSession | None:
        """The session of a token while it runs. `use`: somebody is there; a page that only watches is nobody."""
        live = self._live.get(opaque.digest(token))
        if live is None or not self._runs(live):
            return None
        if use:
            self._used(live)
        return live.kept

    def is_fresh(self, token: str) -> bool:
        """Whether its holder has shown a password or a code within FRESH_S."""
        live = self._live.get(opaque.digest(token))
        return live is not None and self._clock.monotonic() - live.proved < FRESH_S

    def proved(self, token: str) -> None:
        """Its holder has just shown a password or a code."""
        live = self._live.get(opaque.digest(token))
        if live is not None:
            live.proved = self._clock.monotonic()

    def of(self, username: str, current: str) -> tuple[OwnSession, ...]:
        """The sessions of an operator, the newest first; `current` is the token that asks."""
        mine = [live for live in self._live.values() if _is_of(live, username) and self._runs(live)]
        mine.sort(key=lambda live: -live.kept.begun_ms)
        now_ms, now = milliseconds(self._clock.now()), self._clock.monotonic()
        return tuple(
            OwnSession(
                id=_id(live.kept.token),
                begun_at=instant(live.kept.begun_ms),
                seen_at=instant(now_ms - int((now - live.seen) * 1000)),
                address=live.kept.address,
                agent=live.kept.agent,
                current=live.kept.token == opaque.digest(current),
            )
            for live in mine
        )

    async def end(self, token: str) -> OpenSession | None:
        """End a session; an unknown one is over already."""
        live = self._live.pop(opaque.digest(token), None)
        if live is None:
            return None
        await self._store.drop_session(live.kept.token)
        return live.kept

    async def end_one(self, username: str, session_id: str) -> None:
        """End the session of this operator with this id."""
        found = [
            hashed
            for hashed, live in self._live.items()
            if _is_of(live, username) and _id(hashed) == session_id
        ]
        if not found:
            raise NotFound("that session is over already", "reload the page")
        await self._drop(lambda hashed, _: hashed == found[0])

    async def end_all(self, username: str) -> None:
        """End every session of an operator: what they may do, or who they must be, is another from now on."""
        await self._drop(lambda _, live: _is_of(live, username))

    async def _drop(self, chosen: Callable[[bytes, _Live], bool]) -> None:
        gone = [hashed for hashed, live in self._live.items() if chosen(hashed, live)]
        for hashed in gone:
            del self._live[hashed]
        for hashed in gone:
            await self._store.drop_session(hashed)

    def _runs(self, live: _Live) -> bool:
        now = self._clock.monotonic()
        return now < live.ends and now - live.seen < IDLE_S

    def _used(self, live: _Live) -> None:
        live.seen = self._clock.monotonic()
        if live.seen - live.written > _KEEP_EVERY_S:
            live.written = live.seen
            live.kept = replace(live.kept, seen_ms=milliseconds(self._clock.now()))
            self._store.touch_session(live.kept.token, live.kept.seen_ms)


def _is_of(live: _Live, username: str) -> bool:
    return key(live.kept.username) == key(username)


def _id(hashed: bytes) -> str:
    """What a page may show of a session: nothing can be opened with it."""
    return hashlib.sha256(b"session id" + hashed).hexdigest()[:16]


def _printable(agent: str) -> str:
    return "".join(c for c in agent if c.isprintable())[:_LONGEST_AGENT]
