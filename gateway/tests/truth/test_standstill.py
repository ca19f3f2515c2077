"""A broker whose machine lets it down for a while: a real disk that is full, a process that is held."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from broker_support import GATEWAY

from doorward_core import mqtt
from truth.peer import Peer
from truth.promises import EVENTS, leave_a_session

_DISK = 6 << 20
_LEFT = 96 << 10  # of the disk, for the broker: a few dozen messages
_PAYLOAD = 2_000
_WAITS_S = 1.5  # long beside a commit, which takes milliseconds
_KEEPALIVE = 1  # the broker gives up on who is silent for one and a half
_HELD_S = 3.5


@contextlib.contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A file system of _DISK bytes. Skips where nobody may make one."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK}", "tmpfs", str(place)]
    made = subprocess.run(mount, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"no small disk can be mounted here: {made.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Leave _LEFT of it; returns what takes the rest."""
    free = os.statvfs(disk)
    filler = disk / "filler"
    filler.write_bytes(bytes(free.f_bavail * free.f_bsize - _LEFT))
    return filler


async def test_a_full_disk_costs_the_acknowledgement_and_nothing_that_was_acknowledged(
    tmp_path, processes
):
    with small_disk(tmp_path / "disk") as disk:
        async with processes.started(disk) as broker:
            await leave_a_session(broker.port)
            front = Peer("front")
            await front.connect(broker.port)
            filler = fill(disk)
            sent = [f"{number:06}".encode().ljust(_PAYLOAD, b".") for number in range(200)]
            for payload in sent:
                front.publish(EVENTS, payload, 1)
            before = -1
            while before != len(front.promised):
                before = len(front.promised)
                await asyncio.sleep(_WAITS_S)
            assert before < len(sent), "what the disk does not take is not acknowledged"
            await front.ping()
            filler.unlink()
            await front.settle()
            assert front.promised == sent
            broker.kill()
            await front.drop()
        async with processes.started(disk) as broker:
            gateway = Peer(GATEWAY)
            await gateway.connect(broker.port)
            await gateway.received(sent[-1])
            assert [one.payload for one in gateway.deliveries] == sent
            await gateway.drop()


async def test_who_spoke_while_the_broker_was_held_is_heard_and_who_was_silent_is_gone(
    tmp_path, processes
):
    async with processes.started(tmp_path) as broker:
        speaks, silent = Peer(GATEWAY), Peer("front")
        await speaks.connect(broker.port, keepalive=_KEEPALIVE)
        await silent.connect(broker.port, keepalive=_KEEPALIVE)
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            asking = asyncio.ensure_future(speaks.ping())
            await asyncio.sleep(_HELD_S)
            assert not asking.done()
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        await asking
        await speaks.disconnect()
        await silent.ended()
        _present, code = await silent.connect(broker.port)
        assert code == mqtt.ACCEPTED
        await silent.drop()
