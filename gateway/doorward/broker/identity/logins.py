"""Who comes in by name and password. Guessing costs time, and costs it nobody but whoever guesses.

Boards never wait here: their secrets are random, and a right one is taken at once whatever happens beside it. A failure
is held against one name at one address, so a stranger elsewhere can never keep somebody out; and against the address,
but not for names that came in from there before. Existing connections are not looked at at all.

A password is slow to try, so after a restart a crowd waits, whole sites of it behind one address. It stands in a line
instead of being sent away, addresses take turns, and who has failed meanwhile is refused when its turn comes, untried.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable

from doorward.backoff import Backoff, place_of
from doorward.broker.identity.ports import Passwords, Refusal
from doorward.broker.identity.principals import Principal, Principals, Role
from doorward.broker.identity.turns import Turns
from doorward.errors import TooManyAttempts
from doorward_core import mqtt

_log = logging.getLogger(__name__)

_FREE = 5  # wrong passwords for one name from one address; then each doubles the wait
_FREE_PER_ADDRESS = 30  # a whole school may sit behind one
_LONGEST_S = 60.0
_LONGEST_PASSWORD = 256
_AT_ONCE = 2  # passwords that are being tried; as many as `Passwords` has threads
_WAITING = 4096
_WAITING_PER_PLACE = 1024  # a thousand clients of one site are tried in ten to thirty seconds


class _Clock:
    def __init__(self, seconds: Callable[[], float]) -> None:
        self.monotonic = seconds


class PasswordLogins:
    """The `Logins` of a broker with users: boards' secrets at once, people's passwords off the loop."""

    def __init__(
        self, principals: Principals, passwords: Passwords, clock: Callable[[], float]
    ) -> None:
        """Ask these principals; `clock` is monotonic seconds."""
        self._principals = principals
        self._passwords = passwords
        time = _Clock(clock)
        self._names = Backoff(time, free=_FREE, longest=_LONGEST_S)
        self._addresses = Backoff(time, free=_FREE_PER_ADDRESS, longest=_LONGEST_S)
        self._turns = Turns(_AT_ONCE)
        self._trying: set[asyncio.Task[Principal | Refusal]] = set()
        self._dummy = ""

    def check(
        self, name: str, secret: bytes, address: str
    ) -> Principal | Refusal | Awaitable[Principal | Refusal]:
        """One answer for a wrong name and a wrong password, after the same time."""
        known = self._principals.get(name)
        if known is not None and known.role is not Role.USER:
            return self._principals.check(name, secret) or _wrong(name)
        place = place_of(address)
        refusal = self._has_to_wait(name, place)
        if refusal is not None:
            return refusal
        if self._turns.waiting >= _WAITING:
            return Refusal(mqtt.UNAVAILABLE, "too many logins at once, of all addresses together")
        if self._turns.waiting_from(place) >= _WAITING_PER_PLACE:
            return Refusal(mqtt.UNAVAILABLE, f"too many logins from {place} at once")
        return self._in_turn(name, secret, place)

    def _has_to_wait(self, name: str, place: str) -> Refusal | None:
        try:
            self._names.check(_pair(name, place))
            if not self._principals.welcome.has(name, place):
                self._addresses.check(place)
        except TooManyAttempts as error:
            reason = f"too many failed logins as {name!r} from {place}; {error.remedy}"
            return Refusal(mqtt.UNAVAILABLE, reason)
        return None

    async def _in_turn(self, name: str, secret: bytes, place: str) -> Principal | Refusal:
        async with self._turns.turn(place):
            # Others of that name or place may have failed since it joined the line.
            refusal = self._has_to_wait(name, place)
            if refusal is not None:
                return refusal
            proving = self._prove(name, secret, place, suspect=self._charged(name, place))
            trying = asyncio.get_running_loop().create_task(proving)
            self._trying.add(trying)
            trying.add_done_callback(self._trying.discard)
            # Once a password is being tried, who hangs up is counted all the same, and holds its turn until then.
            return await _to_its_end(trying)

    def _charged(self, name: str, place: str) -> bool:
        """Whether somebody failed here before; then it counts as a failure until the password has proved right.

        Guesses at the same time would all be the first otherwise. Somebody whose clients come back all together has
        failed at nothing.
        """
        pair = _pair(name, place)
        known = self._principals.welcome.has(name, place)
        suspect = self._names.warned(pair) or (not known and self._addresses.warned(place))
        if suspect:
            self._failed(pair, place)
        return suspect

    async def _prove(
        self, name: str, secret: bytes, place: str, *, suspect: bool
    ) -> Principal | Refusal:
        pair = _pair(name, place)
        fits = await self._fits(name, secret)
        # Looked at anew: it may have been changed while that password was tried.
        known = self._principals.get(name)
        if not fits or known is None or known.role is not Role.USER:
            if not suspect:
                self._failed(pair, place)
            return _wrong(name)
        self._names.succeeded(pair)
        if not self._principals.welcome.has(name, place):
            # Only once a name: else whoever has one account guesses at the others between two of its own logins.
            self._addresses.succeeded(place)
        elif suspect:
            self._addresses.take_back(place)
        self._principals.welcome.add(name, place)
        return known

    def _failed(self, pair: str, place: str) -> None:
        self._names.failed(pair)
        self._addresses.failed(place)

    async def _fits(self, name: str, secret: bytes) -> bool:
        if not self._dummy:
            self._dummy = await self._passwords.hash(secrets.token_hex(16))
        hashed = self._principals.hash_of(name)
        # A wrong password costs what it always costs.
        if self._principals.proved.has(name, secret):
            return True
        text = secret[: _LONGEST_PASSWORD * 4].decode(errors="replace")[:_LONGEST_PASSWORD]
        proved = await self._passwords.verify(hashed or self._dummy, text)
        whole = text.encode() == secret  # nothing was cut off or replaced
        fits = proved and whole and hashed is not None and self._principals.hash_of(name) == hashed
        if fits:
            self._principals.proved.add(name, secret)
        return fits


async def _to_its_end(trying: asyncio.Task[Principal | Refusal]) -> Principal | Refusal:
    """What a task returns. Who waits for it may be cancelled, it is not; the cancellation is passed on behind it."""
    try:
        return await asyncio.shield(trying)
    except asyncio.CancelledError:
        await asyncio.wait([trying])
        error = None if trying.cancelled() else trying.exception()
        if error is not None:
            _log.error("a login could not be decided that nobody waits for", exc_info=error)
        raise


def _pair(name: str, place: str) -> str:
    return f"{place} {name}"


def _wrong(name: str) -> Refusal:
    return Refusal(mqtt.BAD_LOGIN, f"wrong user name or password for {name[:64]!r}")
