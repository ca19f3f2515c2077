"""From the card in the field to the relay: one JSON line, real firmware on real MicroPython, embedded broker.

Three processes, as on a site: the gateway with its broker and its encrypted store, the board, and this one, which
holds the card, sees the relay and measures the peer. "p50_ms" counts from the instant the card enters the virtual
field, so the reader's polling is in it; "p50_beyond_ms" counts from the start of the poll that saw the card.
"tls" is the same over mutual TLS, as every real board connects; "plain" is for comparison. Blocks of both take turns.
"offline" is the board's own decision with the link known to be down and 10,000 credentials in its cache. "echo" is a
bare QoS 1 request and response between two paho clients over the same broker, in the same run.
"""

import asyncio
import json
import random
import signal
import sys
import tempfile
import threading
import time
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import quantiles
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from reporting import arguments, say, show

from doorward_core import topics
from doorward_lab import Board, Lab
from doorward_lab.lab import DOOR_HEAP_KIB

STRIKE = 25
POLLING_MS = 50
CACHE_CARDS = 10_000
BLOCK = 50  # taps between two rounds of echoes: both see the same weather
PATIENCE_S = 60.0
SERVE = Path(__file__).with_name("served_site.py")


class ServedSite:
    """The gateway in a process of its own."""

    def __init__(self, directory: Path, cards: int, *kind: str) -> None:
        self._arguments = (str(directory), str(cards), *kind)
        self._process: asyncio.subprocess.Process | None = None
        self.profile: dict[str, Any] = {}
        self.card = ""
        self.plain_port = 0
        self.echo: dict[str, str] = {}

    async def start(self) -> None:
        """Start it; returns when doors are served."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(SERVE),
            *self._arguments,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        ready = json.loads(await self._process.stdout.readline())
        self.profile = {**ready["profile"], "poll_ms": POLLING_MS}
        self.card = ready["card"]
        self.plain_port = ready["plain_port"]
        self.echo = ready["echo"]

    async def current(self) -> None:
        """Return when the board is connected and holds its rules."""
        assert self._process is not None
        assert self._process.stdout is not None
        await asyncio.wait_for(self._process.stdout.readline(), 5 * PATIENCE_S)

    async def stop(self) -> None:
        """End it."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            await self._process.wait()


class Echo:
    """Two paho clients that do nothing but ask and answer, each on a thread of its own."""

    def __init__(self, port: int, secrets: dict[str, str]) -> None:
        self._answered = threading.Event()
        self._topics = (topics.BASE + "/bench/ping", topics.BASE + "/bench/pong")
        (asker, asker_secret), (answerer, answerer_secret) = sorted(secrets.items())
        self._asker = self._client(port, asker, asker_secret, self._topics[1])
        self._answerer = self._client(port, answerer, answerer_secret, self._topics[0])
        self._asker.on_message = lambda *_: self._answered.set()
        self._answerer.on_message = lambda client, _data, message: client.publish(
            self._topics[1], message.payload, qos=1
        )

    def _client(self, port: int, name: str, secret: str, subscription: str) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name)
        client.username_pw_set(name, secret)
        ready = threading.Event()
        client.on_connect = lambda *_: client.subscribe(subscription, qos=1)
        client.on_subscribe = lambda *_: ready.set()
        client.on_socket_open = lambda _client, _data, sock: sock.setsockopt(6, 1, 1)
        client.connect("127.0.0.1", port)
        client.loop_start()
        if not ready.wait(PATIENCE_S):
            raise SystemExit(f"bench: {name} could not connect")
        return client

    def measure(self, rounds: int) -> list[float]:
        """Milliseconds of each round trip."""
        found = []
        for _ in range(rounds):
            self._answered.clear()
            begin = time.monotonic_ns()
            self._asker.publish(self._topics[0], bytes(200), qos=1)
            if not self._answered.wait(PATIENCE_S):
                raise SystemExit("bench: an echo was lost")
            found.append((time.monotonic_ns() - begin) / 1e6)
            time.sleep(0.005)
        return found

    def stop(self) -> None:
        """Disconnect both."""
        for client in (self._asker, self._answerer):
            client.disconnect()
            client.loop_stop()


async def tap(board: Board, card: str) -> tuple[float, float]:
    """One tap and the door opened and closed again; (ms from the field, ms from the poll that saw the card)."""
    entered = board.present(card)
    edge = await board.wait_edge(STRIKE, 1, timeout=PATIENCE_S)
    # May lie before `entered`, by less than a poll takes: the card can come while one is under way.
    # An edge takes the poll before it along; on a busy machine the light may have been before the relay.
    seen_ns = board.seen[-1] if edge.seen_ns is None else edge.seen_ns
    board.remove()
    await asyncio.sleep(0.15)
    # Opening relocks at once, so that the next tap need not wait for the strike's time.
    board.set_contact(is_open=True)
    await board.wait_edge(STRIKE, 0, timeout=PATIENCE_S)
    await asyncio.sleep(0.15)
    board.set_contact(is_open=False)
    # A random phase against the reader's polls, and time for the log to be uploaded.
    await asyncio.sleep(0.15 + random.random() * POLLING_MS / 1000)  # noqa: S311 - a phase is no secret
    return (edge.at_ns - entered) / 1e6, (edge.at_ns - seen_ns) / 1e6


def summary(taps: list[tuple[float, float]]) -> dict[str, float]:
    """The figures of a run."""
    whole, beyond = zip(*taps, strict=True)
    return {
        "n": len(taps),
        "p50_ms": percentile(whole, 50),
        "p99_ms": percentile(whole, 99),
        "p50_beyond_ms": percentile(beyond, 50),
        "p99_beyond_ms": percentile(beyond, 99),
    }


def percentile(values: "tuple[float, ...] | list[float]", percent: int) -> float:
    """One percentile, in the values' unit."""
    return round(quantiles(values, n=100, method="inclusive")[percent - 1], 2)


async def online(
    directory: Path, count: int, heap_kib: int
) -> tuple[dict[str, dict[str, float]], float]:
    """Taps decided by the gateway, plain and over TLS, with echoes between them."""
    async with AsyncExitStack() as stack:
        kinds = {"plain": await start(stack, directory / "plain", heap_kib, "plain")}
        kinds["tls"] = await start(stack, directory / "tls", heap_kib)
        site = kinds["plain"][0]
        echo = Echo(site.plain_port, site.echo)
        stack.callback(echo.stop)
        taps: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
        echoes: list[float] = []
        while len(taps["tls"]) < count:
            for kind, (site, board) in kinds.items():
                block = min(BLOCK, count - len(taps[kind]))
                taps[kind] += [await tap(board, site.card) for _ in range(block)]
                say(f"{kind}: {len(taps[kind])} of {count} taps, {summary(taps[kind])}")
            echoes += await asyncio.to_thread(echo.measure, BLOCK)
        for _, board in kinds.values():
            assert len(board.starts) == 1, "the board was reset; look at its log"
    return {kind: summary(found) for kind, found in taps.items()}, percentile(echoes, 50)


async def start(
    stack: AsyncExitStack, directory: Path, heap_kib: int, *kind: str
) -> tuple[ServedSite, Board]:
    """A site and its board, which holds its rules."""
    site = ServedSite(directory, 0, *kind)
    await site.start()
    stack.push_async_callback(site.stop)
    lab = await stack.enter_async_context(Lab(directory.with_suffix(".lab")))
    board = await lab.start_board(site.profile, heap_kib=heap_kib)
    await site.current()
    return site, board


async def offline(directory: Path, count: int, heap_kib: int) -> dict[str, float]:
    """Taps decided by the board, the gateway being gone."""
    site = ServedSite(directory / "offline", CACHE_CARDS)
    await site.start()
    taps: list[tuple[float, float]] = []
    try:
        async with Lab(directory / "lab-offline") as lab:
            board = await lab.start_board(site.profile, heap_kib=heap_kib)
            say(f"offline: waiting until the board holds {CACHE_CARDS} cards")
            await site.current()
            await site.stop()
            await asyncio.sleep(2)
            while len(taps) < count:
                taps += [await tap(board, site.card) for _ in range(min(BLOCK, count - len(taps)))]
                say(f"offline: {len(taps)} of {count} taps, {summary(taps)}")
            assert len(board.starts) == 1, "the board was reset; look at its log"
    finally:
        await site.stop()
    return summary(taps)


async def measure(count: int, heap_kib: int) -> dict[str, Any]:
    """Everything."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        figures, echo = await online(directory, count, heap_kib)
        return {
            "polling_ms": POLLING_MS,
            "plain": figures["plain"],
            "offline": await offline(directory, count, heap_kib),
            "tls": figures["tls"],
            "echo_p50_ms": echo,
        }


def main() -> None:
    """Measure, and print one line."""
    parser = arguments(__doc__)
    parser.add_argument("--taps", type=int, default=300, help="taps of each kind (default 300)")
    parser.add_argument("--heap", type=int, default=DOOR_HEAP_KIB, help="heap of the board in KiB")
    options = parser.parse_args()
    figures = asyncio.run(measure(options.taps, options.heap))
    show(figures, options)


if __name__ == "__main__":
    main()
