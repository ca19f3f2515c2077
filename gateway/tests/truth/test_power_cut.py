"""After a power cut that forgets every unsynced write, the broker still has what it acknowledged.

The real broker with its real SQLCipher file runs under strace; from the trace the disk is rebuilt as it may be found
after a cut at the instant of an acknowledgement (and anywhere else), and another broker is started on it.
"""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from broker_support import running_broker

from doorward.errors import DatabaseDamaged
from doorward_core import mqtt, mqtt_stream
from truth import power_cut
from truth.peer import Peer, Sending
from truth.promises import Sent, broken, leave_a_session, look

HERE = Path(__file__).parent
CUTS = 60
BURSTS = 60

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")


@dataclass
class Run:
    """What a board did, and the trace of the broker that served it."""

    trace: Path
    folder: Path
    port: int = 0  # the board's own
    sent: list[Sent] = field(default_factory=list)  # under the packet ids 1, 2, 3 …
    bursts: list[int] = field(default_factory=list)  # how many were sent by the end of each burst


@contextlib.asynccontextmanager
async def traced_broker(run: Run, mutant: str | None):
    """The port of a broker under strace, killed at the end."""
    arguments = [sys.executable, str(HERE / "traced_broker.py"), str(run.folder)]
    process = await asyncio.create_subprocess_exec(
        *power_cut.STRACE,
        *("-o", run.trace),
        *arguments,
        *([mutant] if mutant else []),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    pid, port = map(int, (await process.stdout.readline()).split())
    try:
        yield port
    finally:
        os.kill(pid, signal.SIGKILL)
        await process.wait()


async def worked(tmp_path: Path, dice: random.Random, mutant: str | None = None) -> Run:
    """A board publishes bursts for a gateway that is away, enough to make SQLite checkpoint its log."""
    run = Run(tmp_path / "trace", tmp_path / "site")
    run.folder.mkdir()
    async with traced_broker(run, mutant) as port:
        await leave_a_session(port)
        front = Peer("front")
        await front.connect(port)
        run.port = front.port
        for _ in range(BURSTS):
            for _ in range(dice.randrange(1, 8)):
                padding = bytes(dice.choice((0, 0, 100, 40_000)))
                one = Sent.any(b"%d " % len(run.sent) + padding, dice)
                run.sent.append(one)
                one.by(front)
            run.bursts.append(len(run.sent))
            await front.settle()
        await front.drop()
    return run


class Progress:
    """How far the board had come, by the acknowledgements that had left the broker."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._decoder = mqtt_stream.Decoder()
        self.promised: list[int] = []
        self.taken: set[int] = set()
        self.finished: set[int] = set()

    def feed(self, data: bytes) -> bool:
        """True when an acknowledgement was among it."""
        acknowledged = False
        for kind, _, body in self._decoder.feed(data):
            if kind not in {mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBCOMP}:
                continue
            acknowledged = True
            packet_id = mqtt.parse_ack(body)
            if kind != mqtt.PUBCOMP:
                self.promised.append(packet_id)
            (self.taken if kind == mqtt.PUBREC else self.finished).add(packet_id)
        return acknowledged

    def board(self) -> Peer:
        """The board as it stands there with what it has not finished; it may have sent the burst it was at."""
        front = Peer("front")
        reached = max(self.promised, default=0)
        known = next((many for many in self._run.bursts if many >= reached), 0)
        for packet_id, one in enumerate(self._run.sent[:known], 1):
            if packet_id not in self.finished:
                packet = mqtt.publish(one.where, one.payload, one.qos, one.retain, False, packet_id)
                taken = packet_id in self.taken
                front.unfinished[packet_id] = Sending(packet, one.payload, one.qos, taken)
        return front


async def after_cuts(run: Run, tmp_path: Path, dice: random.Random, cuts: int) -> list[str]:
    """Cut the power at so many moments, most of them acknowledgements; what the broker then has to be told."""
    chosen = set(dice.sample(range(sum(1 for _ in _moments(run))), cuts))
    complaints = []
    for number, (disk, progress) in enumerate(_moments(run)):
        if number not in chosen:
            continue
        folder = tmp_path / f"cut-{number}"
        folder.mkdir()
        for name, content in disk.after_a_cut(dice).items():
            (folder / name).write_bytes(content)
        try:
            async with running_broker(folder) as site:
                found = await look(site.port, progress.board())
        except DatabaseDamaged as error:  # its mark outlived the file
            complaints.append(f"cut {number}: acknowledged and lost: {error}")
            continue
        promised = [run.sent[packet_id - 1].payload for packet_id in progress.promised]
        complaints += [f"cut {number}: {one}" for one in broken(run.sent, promised, found)]
        shutil.rmtree(folder)
    return complaints


def _moments(run: Run):
    """(disk, progress) whenever an acknowledgement has just left, and at every fourth sync after the first of them."""
    disk, progress = power_cut.Disk(run.folder), Progress(run)
    for call in power_cut.calls(run.trace):
        syncs = disk.syncs
        sent = disk.feed(call)
        if sent is not None:
            if sent.port == run.port and progress.feed(sent.data):
                yield disk, progress
        elif disk.syncs > syncs and disk.syncs % 4 == 0 and progress.promised:
            yield disk, progress


@pytest.mark.timeout(600)
async def test_what_was_acknowledged_survives_a_power_cut(tmp_path, seed):
    dice = random.Random(seed)
    run = await worked(tmp_path, dice)
    *_, (disk, _) = _moments(run)
    assert disk.writes["broker.db"] > 100, "SQLite's checkpoint was among it"
    assert await after_cuts(run, tmp_path, dice, CUTS) == [], f"seed {seed}"


@pytest.mark.parametrize("mutant", ["commits without sync", "acknowledges before the commit"])
async def test_a_broker_that_does_not_wait_for_the_disk_is_caught(tmp_path, seed, mutant):
    dice = random.Random(seed)
    run = await worked(tmp_path, dice, mutant)
    complaints = await after_cuts(run, tmp_path, dice, CUTS // 4)
    assert any("acknowledged and lost" in one for one in complaints), f"seed {seed}"
