"""The broker of a test's site, and a virtual site beside it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from firmware_copies import Versions
from site_support import running, settings_for

from doorward.config import EMBEDDED
from doorward.runtime.demo.gateway import VirtualSite

# Whoever begins with what takes longest is not left waiting for it at the end.
_LONGEST = (
    "test_start_sh",
    "test_updates",
    "test_gateway_killed",
    "test_flash",
    "test_matrix",
    "test_docs",
    "test_users_on_both",
    "test_audit_tampers",
    "test_api_fuzz",
    "test_cli",
    "test_wheel",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files; the order within a file stays."""
    places = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(_LONGEST)))


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


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    """Firmware for boards that are updated; compiled once."""
    return Versions(tmp_path_factory.mktemp("versions"))
