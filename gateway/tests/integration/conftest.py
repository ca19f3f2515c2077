"""The broker of a test's site, and a virtual site beside it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from site_support import EMBEDDED, running, settings_for

from doorward.runtime.demo import VirtualSite


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> str:
    """The embedded one; `@pytest.mark.parametrize("broker", BROKERS, indirect=True)` runs a test with each."""
    name: str = getattr(request, "param", EMBEDDED)
    return name


@pytest.fixture
async def site(tmp_path: Path, broker: str) -> AsyncIterator[VirtualSite]:
    """Filled as the demo is, on free ports; its boards are for the test to start."""
    async with running(VirtualSite(settings_for(tmp_path / "site", broker))) as site:
        yield site
