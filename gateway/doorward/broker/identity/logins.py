"""Who comes in by name and password. Guessing costs time, and costs it nobody but whoever guesses.

Boards never wait here: their secrets are random, and a right one is taken at once whatever happens beside it. A failure
is held against one name at one address, so a stranger elsewhere can never keep somebody out; and against the address,
but not for names that came in from there before. Existing connections are not looked at at all.
"""

import secrets
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable

from doorward.backoff import KEPT, Backoff, place_of
from doorward.broker.identity.principals import Principal, Principals, Role
from doorward.broker.ports import Passwords, Refusal
from doorward.errors import TooManyAttempts
from doorward_core import mqtt

_FREE = 5  # wrong passwords for one name from one address; then each doubles the wait
_FREE_PER_ADDRESS = 30  # a whole school may sit behind one
_LONGEST_S = 60.0
_LONGEST_PASSWORD = 256
_AT_ONCE = 64  # logins that are being judged; 20 ms each on two threads
_AT_ONCE_PER_ADDRESS = 16


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
        self._welcome: OrderedDict[str, None] = OrderedDict()  # who came in from where
        self._judging: Counter[str] = Counter()
        self._dummy = ""

    def check(
        self, name: str, secret: bytes, address: str
    ) -> Principal | Refusal | Awaitable[Principal | Refusal]:
        """One answer for a wrong name and a wrong password, after the same time."""
        known = self._principals.get(name)
        if known is not None and known.role is not Role.USER:
            return self._principals.check(name, secret) or _wrong(name)
        place = place_of(address)
        pair = f"{place} {name}"
        try:
            self._names.check(pair)
            if pair not in self._welcome:
                self._addresses.check(place)
        except TooManyAttempts as error:
            reason = f"too many failed logins as {name!r} from {place}; {error.remedy}"
            return Refusal(mqtt.UNAVAILABLE, reason)
        if self._judging.total() >= _AT_ONCE or self._judging[place] >= _AT_ONCE_PER_ADDRESS:
            return Refusal(mqtt.UNAVAILABLE, f"too many logins from {place} at once")
        self._judging[place] += 1
        # Who failed before counts before the slow part: many guesses at once would all be the first. Somebody whose
        # clients come back all together has failed at nothing.
        suspect = self._names.warned(pair) or self._addresses.warned(place)
        if suspect:
            self._failed(pair, place)
        return self._prove(name, secret, place, pair, suspect=suspect)

    def _failed(self, pair: str, place: str) -> None:
        self._names.failed(pair)
        self._addresses.failed(place)

    async def _prove(
        self, name: str, secret: bytes, place: str, pair: str, *, suspect: bool
    ) -> Principal | Refusal:
        try:
            fits = await self._fits(name, secret)
        finally:
            self._judging[place] -= 1
            self._judging += Counter()  # drops what is at zero
        # Looked at anew: it may have been changed while that password was tried.
        known = self._principals.get(name)
        if not fits or known is None or known.role is not Role.USER:
            if not suspect:
                self._failed(pair, place)
            return _wrong(name)
        self._names.succeeded(pair)
        self._addresses.succeeded(place)
        self._welcome[pair] = None
        self._welcome.move_to_end(pair)
        if len(self._welcome) > KEPT:
            self._welcome.popitem(last=False)
        return known

    async def _fits(self, name: str, secret: bytes) -> bool:
        if not self._dummy:
            self._dummy = await self._passwords.hash(secrets.token_hex(16))
        hashed = self._principals.hash_of(name)
        text = secret[: _LONGEST_PASSWORD * 4].decode(errors="replace")[:_LONGEST_PASSWORD]
        proved = await self._passwords.verify(hashed or self._dummy, text)
        whole = text.encode() == secret  # nothing was cut off or replaced
        return proved and whole and hashed is not None and self._principals.hash_of(name) == hashed


def _wrong(name: str) -> Refusal:
    return Refusal(mqtt.BAD_LOGIN, f"wrong user name or password for {name[:64]!r}")
