"""How much anybody may ask: token buckets by address, by session or program, and a narrow one for guesses."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from doorward.backoff import place_of
from doorward.errors import TooManyAttempts
from doorward.web.errors import answer
from doorward.web.session import api_token, session_token

_KEPT = 4096  # buckets; the one that has been quiet longest goes first: it is full anyway


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests at once, and so many a second from then on."""

    burst: float
    per_second: float


# A page asks for a dozen files, and a whole school may sit behind one address.
PER_ADDRESS = Rate(400, 100)
PER_CALLER = Rate(120, 20)
# Each of these costs 20 ms of a processor; who mistypes needs a few.
PER_ADDRESS_GUESSES = Rate(30, 0.5)
_GUESSES = frozenset(
    {"/login", "/login/code", "/setup", "/confirm", "/api/v1/confirm", "/account/password"}
)


class Buckets:
    """Token buckets of one rate, by key."""

    def __init__(self, rate: Rate, now: Callable[[], float]) -> None:
        self._rate = rate
        self._now = now
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> int:
        """Take one; 0 if there was one, else the whole seconds until there is."""
        now = self._now()
        level, at = self._levels.pop(key, (self._rate.burst, now))
        level = min(level + (now - at) * self._rate.per_second, self._rate.burst)
        enough = level >= 1
        self._levels[key] = (level - 1 if enough else level, now)
        if len(self._levels) > _KEPT:
            self._levels.popitem(last=False)
        return 0 if enough else max(1, ceil((1 - level) / self._rate.per_second))


class RateLimit:
    """ASGI middleware: 429 with Retry-After for who asks too much, before anything is looked up."""

    def __init__(self, app: ASGIApp, *, now: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._addresses = Buckets(PER_ADDRESS, now)
        self._callers = Buckets(PER_CALLER, now)
        self._guesses = Buckets(PER_ADDRESS_GUESSES, now)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wait = self._wait(Request(scope)) if scope["type"] == "http" else 0
        if wait == 0:
            await self._app(scope, receive, send)
            return
        error = TooManyAttempts("too many requests", f"try again in {wait} s", retry_after=wait)
        await answer(Request(scope), error)(scope, receive, send)

    def _wait(self, request: Request) -> int:
        address = place_of(request.client.host if request.client else "")
        wait = self._addresses.take(address)
        if wait == 0 and request.method == "POST" and request.url.path in _GUESSES:
            wait = self._guesses.take(address)
        caller = api_token(request) or session_token(request)
        # Files are the address's alone: a page that loads must not use up what its buttons need.
        if wait == 0 and caller and not request.url.path.startswith("/static/"):
            wait = self._callers.take(hashlib.sha256(caller.encode("utf-8", "replace")).hexdigest())
        return wait
