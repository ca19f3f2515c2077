"""argon2id for people's passwords, on a small pool of its own: it takes 20 ms and 19 MiB each."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from doorward import memory

_AT_ONCE = 2
_SETTLED_S = 2.0  # nobody signs in any more: what it took can be given back

T = TypeVar("T")


class Argon2Passwords:
    """Hashing at OWASP's setting: 19 MiB, two passes, one lane."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._pool = ThreadPoolExecutor(_AT_ONCE, "passwords")
        self._at_work = 0
        self._settled: asyncio.TimerHandle | None = None

    async def hash(self, password: str) -> str:
        return await self._work(lambda: self._hasher.hash(password))

    async def verify(self, hashed: str, password: str) -> bool:
        return await self._work(lambda: self._fits(hashed, password))

    def _fits(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _work(self, work: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        if self._settled is not None:
            self._settled.cancel()
        self._at_work += 1
        try:
            return await loop.run_in_executor(self._pool, work)
        finally:
            self._at_work -= 1
            if not self._at_work:
                self._settled = loop.call_later(_SETTLED_S, memory.give_back)

    def close(self) -> None:
        """Let go of the threads."""
        if self._settled is not None:
            self._settled.cancel()
        self._pool.shutdown(wait=False)
