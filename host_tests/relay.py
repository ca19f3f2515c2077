"""The way to a broker, which a test can hold still: what is on it stays there, and nobody is told."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self


class Relay:
    """`async with Relay(port) as relay`: whoever connects to `relay.port` reaches `port`, unless it is `still`."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self.connections = 0
        self._to = port
        self._moving = asyncio.Event()
        self._moving.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def still(self) -> bool:
        """Whether bytes are held back."""
        return not self._moving.is_set()

    @still.setter
    def still(self, held: bool) -> None:
        if held:
            self._moving.clear()
        else:
            self._moving.set()

    async def drop(self) -> None:
        """End every connection."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        await self.drop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            self._writers.add(writer)
            await self._moving.wait()
            self.connections += 1
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
            self._writers.add(back)
            await asyncio.gather(self._carry(reader, back), self._carry(there, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                await self._moving.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
