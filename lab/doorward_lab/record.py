"""What a virtual board did and said: its pins by their time stamps, its printed lines."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from doorward_lab.wire import Duty, Edge
from doorward_lab.witness import Witness

_LOG_LINES = 2000


class Record:
    """Of one board, from its first power-on. Times are CLOCK_MONOTONIC in ns, as `time.monotonic_ns()`."""

    def __init__(self, identity: str, log_file: Path) -> None:
        """log_file: what the board prints is appended to it."""
        self.id = identity
        self.log: deque[str] = deque(maxlen=_LOG_LINES)
        self.on_print: Callable[[str], object] | None = None
        self._log_file = log_file.open("a", buffering=1)
        self._witness = Witness()
        self._since_ns = 0  # when something was done to the board last

    @property
    def edges(self) -> list[Edge]:
        """Every change of an output pin that no part of the board listens to, since the first power-on."""
        return self._witness.edges

    @property
    def seen(self) -> list[int]:
        """When the reader's polls that found a new card began. Told with the next edge, or one poll later."""
        return self._witness.seen

    @property
    def levels(self) -> dict[int, int]:
        """The outputs that are driven now."""
        return dict(self._witness.levels)

    @property
    def duties(self) -> list[Duty]:
        """Every change of a PWM, after the chip's rounding, since the first power-on."""
        return self._witness.duties

    async def wait_edge(
        self, pin: int, level: int | None, timeout: float, *, since_ns: int | None = None
    ) -> Edge:
        """Return the first edge of `pin` to `level` since `since_ns`.

        since_ns: by default the last start, card or contact change that this object made, so an edge that came before
        the call is not missed. Raises TimeoutError with the board's last words.
        """
        since = self._since_ns if since_ns is None else since_ns
        try:
            return await asyncio.wait_for(self._witness.wait(pin, level, since), timeout)
        except TimeoutError:
            raise TimeoutError(
                f"pin {pin} of {self.id} did not go to {level} in {timeout} s; {self._last_words()}"
            ) from None

    async def wait_log(self, text: str, timeout: float) -> str:
        """Return the first line in `log` that contains `text`. Raises TimeoutError with the board's last words."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            found = next((line for line in self.log if text in line), None)
            if found is not None:
                return found
            await asyncio.sleep(0.01)
        raise TimeoutError(f"{self.id} did not print {text!r} in {timeout} s; {self._last_words()}")

    def _edge(self, pin: int, level: int | None, at_ns: int, seen_ns: int | None) -> None:
        if seen_ns is not None:
            self.seen.append(seen_ns)
        self._witness.edge(pin, level, at_ns, seen_ns)

    def printed(self, line: str) -> None:
        """Keep what the board prints."""
        self.log.append(line)
        if self.on_print is not None:
            self.on_print(line)
        with contextlib.suppress(ValueError):  # last words may come when the file is closed
            self._log_file.write(line + "\n")

    def _close_log(self) -> None:
        self._log_file.close()

    def _last_words(self) -> str:
        return "its last lines: " + (" | ".join(list(self.log)[-5:]) or "none")
