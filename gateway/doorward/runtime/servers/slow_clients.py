"""uvicorn's HTTP protocol with an end to its patience: who sends a request a byte at a time holds no connection."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE_S = 10.0  # for a whole request: the largest body has 64 KiB


class ImpatientProtocol(H11Protocol):
    """Closes a connection whose request is not complete PATIENCE_S after it could have begun.

    uvicorn itself has a limit between requests alone, and any byte lifts it.
    """

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Start to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        if self._patience is not None:
            self._patience.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Start to wait for the next request."""
        if not self.transport.is_closing():
            self._wait()
        super().on_response_complete()

    def _wait(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self._patience = self.loop.call_later(PATIENCE_S, self._look)

    def _look(self) -> None:
        # A request that is there as a whole may take as long as it likes: a live stream takes hours.
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self.transport.abort()
