"""The web server inside our loop."""

import asyncio
from types import SimpleNamespace

import httpx
from fastapi import FastAPI, Request

from doorward.runtime.servers.web import Server, listen_tcp


async def test_nobody_chooses_the_address_that_has_to_wait() -> None:
    app = FastAPI()
    app.state.streams = SimpleNamespace(close=lambda: None)

    @app.get("/")
    async def address(request: Request) -> str:
        return request.client.host if request.client else ""

    sock = listen_tcp("127.0.0.1", 0)
    server = Server(app, sock)
    running = asyncio.create_task(server.run_until_stopped())
    await server.ready.wait()
    url = f"http://127.0.0.1:{sock.getsockname()[1]}/"
    async with httpx.AsyncClient() as client:
        answer = await client.get(url, headers={"X-Forwarded-For": "203.0.113.9"})
    server.stop()
    await running
    sock.close()
    assert answer.json() == "127.0.0.1"
