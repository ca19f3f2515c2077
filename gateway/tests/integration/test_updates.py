"""Updates over the network: a real board, a real gateway, both brokers. The door opens throughout."""

import pytest
from firmware_copies import Versions
from site_support import BROKERS, is_current, profiles
from watching import opens, until

from doorward.app.views import UpdateView
from doorward.domain import updates
from doorward.runtime import demosite
from doorward.runtime.demo import VirtualSite
from doorward_lab import Board, Lab

MEMBER = demosite.CARDS["member"].uid
OVER = frozenset({updates.CONFIRMED}) | updates.BAD


@pytest.fixture
async def board(site: VirtualSite, lab: Lab, versions: Versions) -> Board:
    """With firmware 0.1.0 whose trials are short."""
    board = await lab.start_board(profiles(site)[0], firmware=versions.old)
    await until(lambda: is_current(site), board)
    return board


def update(site: VirtualSite) -> UpdateView:
    found = site.cases.updates.of("front")
    assert found is not None
    return found


async def ordered(site: VirtualSite, versions: Versions, version: str) -> None:
    signed = await site.cases.shelf.sign(versions.bundle(version), actor="ada")
    await site.cases.shelf.add(signed.pack(), actor="ada")
    await site.cases.updates.begin(["front"], version, actor="ada")


async def kinds(site: VirtualSite) -> list[str]:
    rows = await site.store.recent(100, None, None)
    found = [(row.kind, row.actor) for row in reversed(rows) if row.kind.startswith("update.")]
    assert {actor for _, actor in found} <= {"ada"}
    return [kind for kind, _ in found]


async def people_come(site: VirtualSite, board: Board) -> None:
    """Until the update is over the door opens, but for whoever comes while the board starts."""
    while update(site).state not in OVER:
        starts = len(board.starts)
        opened = await opens(board, MEMBER)
        assert opened or len(board.starts) > starts, board.log
        if len(board.starts) > starts:
            await until(lambda: site.cases.states.get("front").online, board)


@pytest.mark.parametrize("broker", BROKERS, indirect=True)
async def test_a_board_is_updated_while_people_come_and_go(
    site: VirtualSite, board: Board, versions: Versions
) -> None:
    await ordered(site, versions, "0.2.0")
    await people_come(site, board)
    assert update(site).state == updates.CONFIRMED, (update(site), board.log)
    device = site.cases.fleet.find("front")
    assert device is not None
    assert device.firmware == "0.2.0"
    assert len(board.starts) == 2
    assert await kinds(site) == ["update.offered", "update.installed", "update.confirmed"]
    assert site.cases.devices.get("front").update == update(site)
    assert await opens(board, MEMBER)
