"""Updates over the network: a real board, a real gateway, both brokers. The door opens throughout."""

import asyncio
import random

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from firmware_copies import Versions
from site_support import BROKERS, is_current, profiles
from watching import opens, until

from doorward.app.views.boards import UpdateView
from doorward.domain import updates
from doorward.firmware.bundle import Bundle
from doorward.runtime.demo import site as demosite
from doorward.runtime.demo.gateway import VirtualSite
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


def running(site: VirtualSite) -> str | None:
    device = site.cases.fleet.find("front")
    return device.firmware if device is not None else None


async def ordered(site: VirtualSite, version: str, bundle: Bundle) -> None:
    signed = await site.cases.shelf.sign(bundle, actor="ada")
    await site.cases.shelf.add(signed.pack(), actor="ada")
    await until(lambda: site.cases.states.get("front").online)
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
    await ordered(site, "0.2.0", versions.bundle("0.2.0"))
    await people_come(site, board)
    assert update(site).state == updates.CONFIRMED, (update(site), board.log)
    assert running(site) == "0.2.0"
    assert len(board.starts) == 2
    assert await kinds(site) == ["update.offered", "update.installed", "update.confirmed"]
    assert site.cases.devices.get("front").update == update(site)
    assert await opens(board, MEMBER)


_APP = "doorward_node/app.py"
FAULTS = {
    "broken": [(_APP, "self.journal.flush()", "raise RuntimeError('broken')")],
    "it hung": [
        (_APP, "self.journal.flush()", "while True:\n                pass"),
        ("doorward_node/supervisor.py", "_WATCHDOG_MS = const(5000)", "_WATCHDOG_MS = const(2000)"),
    ],
    "no health": [
        (_APP, "if uptime >= self._time_due:", "if False:"),
        ("doorward_node/trial.py", "_DEADLINE_S = const(600)", "_DEADLINE_S = const(3)"),
    ],
}


def spoil(site: VirtualSite, times: int) -> list[str]:
    """Change so many pieces of firmware on their way to the board; returns where they went, as they go."""
    publish, spoiled = site.link.publish, []

    def careless(topic: str, payload: bytes, *, retain: bool = False) -> None:
        if topic.endswith("/firmware") and b'"data"' in payload and len(spoiled) < times:
            spoiled.append(topic)
            payload = payload.replace(b'"data":"', b'"data":"AAAA', 1)
        publish(topic, payload, retain=retain)

    site.link.publish = careless  # type: ignore[method-assign]
    return spoiled


async def test_what_does_not_work_is_gone_again_and_the_gateway_knows_why(
    site: VirtualSite, board: Board, versions: Versions
) -> None:
    for number, (reason, changes) in enumerate(FAULTS.items()):
        version = f"0.{number + 2}.0"
        await ordered(site, version, versions.bundle(version, *changes))
        await until(lambda: update(site).state in OVER, board, seconds=120)
        assert update(site).state == updates.ROLLED_BACK, (update(site), board.log)
        assert reason in update(site).reason
        await until(lambda: is_current(site), board)
        assert running(site) == "0.1.0"
        assert await opens(board, MEMBER)
    found = await kinds(site)
    assert found == ["update.offered", "update.installed", "update.rolled_back"] * len(FAULTS)
    # And it can be mended over the network; what somebody changed on the way is asked for again.
    spoiled = spoil(site, 2)
    await ordered(site, "0.9.0", versions.bundle("0.9.0"))
    await until(lambda: update(site).state in OVER, board, seconds=120)
    assert (update(site).state, running(site)) == (updates.CONFIRMED, "0.9.0")
    assert len(spoiled) == 2


async def test_cut_off_anywhere_a_board_has_one_whole_firmware_and_goes_on(
    site: VirtualSite, board: Board, versions: Versions
) -> None:
    chance = random.Random(8)
    for number in range(2):
        version = f"1.{number}.0"
        before = running(site)
        await ordered(site, version, versions.bundle(version))
        if number % 2:
            board.cut_at_flash(chance.randrange(300), torn=True)
            assert await board.wait_cut(60)
        else:
            percent = chance.randrange(60)
            await until(lambda at=percent: update(site).percent > at, board)  # type: ignore[misc]
            await board.kill()
        await board.power_on()
        await until(lambda: site.cases.states.get("front").online, board, seconds=60)
        assert running(site) in (before, version)
        assert await opens(board, MEMBER)
        await until(lambda: update(site).state in OVER, board, seconds=120)
        assert update(site).state == updates.CONFIRMED, (update(site), board.log)
        assert running(site) == version


async def test_what_another_key_has_signed_is_refused(
    site: VirtualSite, board: Board, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = versions.bundle("3.0.0")
    other = rsa.generate_private_key(65537, 3072)
    forged = bundle.signed(other.sign(bundle.manifest, padding.PKCS1v15(), hashes.SHA256()))

    async def take(_version: str | None, *, actor: str) -> Bundle:
        await asyncio.sleep(0)
        return forged

    monkeypatch.setattr(site.cases.shelf, "take", take)
    await site.cases.updates.begin(["front"], "3.0.0", actor="ada")
    await until(lambda: update(site).state in OVER, board)
    assert (update(site).state, update(site).reason) == (updates.REFUSED, "signature")
    assert running(site) == "0.1.0"
    assert len(board.starts) == 1
    assert await kinds(site) == ["update.offered", "update.refused"]
