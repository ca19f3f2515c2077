"""Clients that never finish a request hold no connection; those that wait for a long answer keep theirs."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI
from starlette.responses import StreamingResponse

from doorward.runtime.servers import slow_clients
from doorward.runtime.servers.web import Server
from doorward.web.stream import Streams

PATIENCE_S = 0.6


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_clients, "PATIENCE_S", PATIENCE_S)


def _app() -> FastAPI:
    app = FastAPI()
    app.state.streams = Streams()

    @app.get("/quick")
    def quick() -> str:
        return "ok"

    @app.post("/read")
    async def read(body: dict[str, str]) -> str:
        return "ok"

    @app.get("/slow")
    def slow() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            for _ in range(6):
                await asyncio.sleep(PATIENCE_S / 2)
                yield b"more\n"

        return StreamingResponse(parts())

    return app


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(_app(), listener)
    serving = asyncio.create_task(server.run_until_stopped())
    await server.ready.wait()
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    try:
        yield reader, writer
    finally:
        writer.close()
        server.stop()
        await serving
        listener.close()


async def drip(writer: asyncio.StreamWriter, text: bytes) -> float:
    """Send a byte now and then until the other side has had enough; returns how long that took."""
    begun = time.monotonic()
    try:
        for byte in text * 100:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(PATIENCE_S / 10)
            if time.monotonic() - begun > 20:
                break
    except ConnectionError:
        pass
    return time.monotonic() - begun


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"GET /quick HTTP/1.1\r\n",
        b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n",
        b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\nGET /quick HTTP/1.1\r\n",
    ],
    ids=["nothing", "headers", "body", "second request"],
)
async def test_who_dribbles_is_cut_off(start: bytes) -> None:
    async with connected() as (_, writer):
        writer.write(start)
        assert await drip(writer, b"X-a: b\r\n") < 10


async def test_a_long_answer_may_take_its_time() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 20)
    assert answer.count(b"more\n") == 6


async def test_a_connection_serves_many_requests_in_a_row() -> None:
    async with connected() as (reader, writer):
        for _ in range(4):
            writer.write(b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\n")
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            assert b" 200 " in head
            await reader.readexactly(4)
            await asyncio.sleep(PATIENCE_S / 2)
