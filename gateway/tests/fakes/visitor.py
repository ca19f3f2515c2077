"""A browser that is no browser: httpx straight into the application, with the manners that the guards ask for."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from fakes.services import PASSWORD

ORIGIN = "http://door.test"


class Visitor(httpx.AsyncClient):
    """Sends the Origin with changes as browsers do, and the token of the last form it saw."""

    csrf = ""

    def __init__(self, *, timeout: float = 30.0, **how: Any) -> None:
        super().__init__(timeout=timeout, **how)

    async def open(self, path: str) -> httpx.Response:
        response = await self.get(path)
        found = re.search(r'name="csrf" value="([^"]+)"', response.text)
        if found:
            self.csrf = found[1]
        return response

    async def submit(self, path: str, **fields: str) -> httpx.Response:
        headers = {"Origin": str(self.base_url).rstrip("/")}
        return await self.post(path, data={"csrf": self.csrf, **fields}, headers=headers)

    async def log_in(self) -> httpx.Response:
        await self.open("/login")
        response = await self.submit("/login", username="admin", password=PASSWORD)
        await self.open("/")
        return response

    async def order(self, path: str, **body: object) -> httpx.Response:
        """POST JSON to the API, as a script of ours would."""
        headers = {"Origin": str(self.base_url).rstrip("/"), "X-CSRF-Token": self.csrf}
        return await self.post(path, json=body, headers=headers)


Visit = Callable[..., Awaitable[Visitor]]
