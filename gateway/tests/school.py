"""A gateway with users, spoken to over its API, and clients of its broker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from mosquitto_clients import Client
from site_support import api_of, running

from doorward.config import Settings
from doorward.runtime.gateway import Gateway

PASSWORD, ANOTHER = "correct horse battery", "another horse battery"
SCHOOL = {"subject": "user:teacher1", "filter": "school/#"}
ROOM = "school/room1/lesson"
REFUSED = ("Not authorized", "Bad user name or password")  # Mosquitto's word, and ours


class School:
    """A gateway with users, over its API."""

    def __init__(self, site: Gateway, api: httpx.AsyncClient) -> None:
        self.site = site
        self._api = api
        self.clients: list[Client] = []

    async def get(self, path: str, **asked: str) -> Any:
        answer = await self._api.get(f"/broker/{path}", params=asked)
        assert answer.is_success, answer.text
        return answer.json()

    async def post(self, path: str, order: dict[str, Any] | None = None) -> Any:
        answer = await self._api.post(f"/broker/{path}", json=order)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, order: Any = None) -> tuple[int, str]:
        answer = await self._api.request(method, f"/broker/{path}", json=order)
        assert answer.is_error, answer.text
        return answer.status_code, answer.json()["error"]["message"]

    async def add(self, name: str, *roles: str) -> None:
        await self.post("users", {"name": name, "password": PASSWORD, "roles": roles})

    async def come(self, name: str, password: str = PASSWORD, **how: Any) -> Client:
        """A user's client, whether or not it was let in."""

        def connect() -> Client:
            return Client(self.site.plain_port, name, user=name, secret=password, **how)

        client = await asyncio.to_thread(connect)
        self.clients.append(client)
        return client


async def do(step: Any, *words: Any, **how: Any) -> Any:
    return await asyncio.to_thread(step, *words, **how)


@asynccontextmanager
async def school_at(settings: Settings) -> AsyncIterator[School]:
    async with running(Gateway(settings)) as site, api_of(site) as api:
        school = School(site, api)
        try:
            yield school
        finally:
            for client in school.clients:
                await do(client.close)


async def heard(school: School, ada: Client, who: Client, name: str, *said: str) -> list[str]:
    """Which of these topics reach `who` when Ada publishes there; the last is its own, and always does."""
    who.inbox.clear()
    for topic in (*said, f"users/{name}/end"):
        await do(ada.publish, topic, b"x")
    await do(who.until, lambda: (f"users/{name}/end", b"x") in who.inbox)
    return [topic for topic, _ in who.inbox[:-1]]
