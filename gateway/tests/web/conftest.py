"""A house of doors in memory, and visitors to it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest
from fakes.services import FRONT, FakeHouse
from fakes.visitor import ORIGIN, Visit, Visitor

from doorward.web import create_app


@pytest.fixture
def house() -> FakeHouse:
    return FakeHouse(FRONT, demo=True)


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    """`await visit(house)` gives a visitor to an application of its own; `local` for the one of the local socket."""
    async with AsyncExitStack() as stack:

        async def start(house: FakeHouse, *, local: bool = False, origin: str = ORIGIN) -> Visitor:
            app = create_app(house.services, local=local)
            transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
            return await stack.enter_async_context(Visitor(transport=transport, base_url=origin))

        yield start


@pytest.fixture
async def operator(house: FakeHouse, visit: Visit) -> Visitor:
    """Somebody who is signed in."""
    visitor = await visit(house)
    await visitor.log_in()
    return visitor
