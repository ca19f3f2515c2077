"""The fixtures of browser_kit, and a house of doors in memory that is served."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from browser_kit import browser, new_page
from fakes.services import FRONT, FakeHouse
from fakes.serving import serving

from doorward.web import create_app

__all__ = ["browser", "new_page"]


@pytest.fixture
def house() -> FakeHouse:
    return FakeHouse(FRONT, demo=True)


@pytest_asyncio.fixture(loop_scope="session")
async def url(house: FakeHouse) -> AsyncIterator[str]:
    async with serving(create_app(house.services)) as url:
        yield url
