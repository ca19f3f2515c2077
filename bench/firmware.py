"""What the door firmware weighs and how long it stalls: one JSON line, on real MicroPython against the real gateway.

Heap figures are of a 64-bit interpreter. "shim_kib" is what stands in for the chip on the same heap (interpreter,
machine, reader model, mounted flash); "min_heap_kib" and "steady_kib" are without it, "min_process_kib" and
"steady_process_kib" with it. "loaded_heap_kib" is what the loaded code alone takes, and "loaded_heap_32_kib" the same
on a 32-bit interpreter, as real boards have it (null without Node and npm). The figures are those of a door; "roles"
has them for each role's profile, with a connected board that nobody touches.
"""

import asyncio
import json
import logging
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import firmware_cache
import firmware_update
import heap_32
from reporting import arguments, say, show

from doorward import boards, config, logs
from doorward.app.ports import Message
from doorward.data import data_root
from doorward.runtime.demo.gateway import VirtualSite
from doorward_core import topics
from doorward_lab import Board, BoardFailed, Lab, build, places, toolchain
from doorward_lab.lab import DOOR_HEAP_KIB
from doorward_lab.rtc import Rtc

STRIKE = 25
CARD = "member"
CONNECT_S = 8.0
TAP_S = 4.0
SETTLE_S = 3.0
TAPS = 20
LARGEST_KIB = 512
KIB = 1024
DRIVERS = places.firmware() / "doorward_drivers"
PROFILES = data_root() / "boards"
CHIP = "esp32"


def profile_of(role: str) -> dict[str, Any]:
    """What config.json says of a role's shipped profile; the lab reads `chip` as well."""
    shipped = boards.load(PROFILES, f"{role}-{CHIP}")
    return {**boards.compiled(shipped), "chip": shipped.chip}


def roles() -> list[str]:
    """Every role that a profile ships for."""
    ending = f"-{CHIP}"
    return [name.removesuffix(ending) for name in boards.names(PROFILES) if name.endswith(ending)]


class Site(VirtualSite):
    """A virtual site that listens to what its board measures of itself."""

    def __init__(self, directory: Path) -> None:
        free = {"web": {"port": 0}, "mqtt": {"port": 0}}
        super().__init__(config.load(directory, defaults=free, environ={}))
        self.figures: dict[str, Any] = {}

    async def start(self) -> None:
        await super().start()
        content = json.loads((self.settings.directory / "site.json").read_text())
        (self.profile,), self.cards = content["boards"], content["cards"]
        handle = self.link.on_message

        def listen(message: Message) -> None:
            if message.suffix == topics.HEARTBEAT and message.payload:
                sealed = self.signer.verify(message.device, message.suffix, message.payload)
                self.figures = json.loads(sealed.body)
            handle(message)

        self.link.on_message = listen

    @property
    def online(self) -> bool:
        device = self.cases.fleet.find(self.profile["id"])
        return device is not None and device.online

    async def heartbeat(self) -> dict[str, Any]:
        """Ask the board for its figures and return them."""
        device = self.cases.fleet.find(self.profile["id"])
        assert device is not None
        self.figures = {}
        body = {"command": "status", "command_id": "bench", "parameters": {}}
        self.cases.fleet.tell(device, topics.CONTROL, json.dumps(body).encode())
        async with asyncio.timeout(CONNECT_S):
            while not self.figures:  # noqa: ASYNC110 - the gateway keeps no event for it
                await asyncio.sleep(0.02)
        return self.figures


@dataclass
class Bench:
    """One gateway, and one board after another."""

    site: Site
    lab: Lab
    role: str = ""  # the site's own door, with what the demo has of a door's parts

    @property
    def profile(self) -> dict[str, Any]:
        """The config.json of its boards."""
        return {**self.site.profile, **(profile_of(self.role) if self.role else {})}

    @asynccontextmanager
    async def board(self, heap_kib: int) -> AsyncIterator[tuple[Board, float]]:
        """A connected board and its milliseconds from reset to the hello at the gateway."""
        device = self.site.cases.fleet.find(self.site.profile["id"])
        if device is not None:  # it is not known before its first start
            device.online = False
        board = await self.lab.start_board(self.profile, heap_kib=heap_kib)
        try:
            async with asyncio.timeout(CONNECT_S):
                while not self.site.online:  # noqa: ASYNC110 - ditto
                    await asyncio.sleep(0.001)
            yield board, (time.monotonic_ns() - board.starts[-1][1]) / 1e6
        finally:
            await self.lab.stop_board(board.id)

    async def tap(self, board: Board) -> None:
        """A card, the strike, and the strike again: the whole way."""
        board.present(self.site.cards[CARD])
        edge = await board.wait_edge(STRIKE, 1, timeout=TAP_S)
        board.remove()
        await board.wait_edge(STRIKE, 0, timeout=12, since_ns=edge.at_ns)

    async def works(self, heap_kib: int) -> bool:
        """Whether a board with that heap connects, handles a tap (a role: a command), and has not failed on the way."""
        try:
            async with self.board(heap_kib) as (board, _):
                if self.role:
                    await self.site.heartbeat()
                else:
                    await self.tap(board)
                good = len(board.starts) == 1 and not any(
                    "MemoryError" in line for line in board.log
                )
        except (TimeoutError, BoardFailed):
            good = False
        say(f"  heapsize={heap_kib}K: {'works' if good else 'too small'}")
        return good

    async def smallest(self) -> int:
        """The smallest heap in KiB that works, by bisection."""
        say("smallest heap of the whole process:")
        low, high = 16, 64
        while not await self.works(high):
            low, high = high, high * 2
            if high > LARGEST_KIB:
                raise SystemExit("bench: the board does not work with any heap; look at its log")
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if await self.works(middle) else (middle, high)
        return high

    async def steady(self, heap_kib: int) -> dict[str, float | None]:
        """Heap, boot and stall of a board that has lived a little."""
        say(f"a board with heapsize={heap_kib}K, {TAPS} taps:")
        async with self.board(heap_kib) as (board, boot_ms):
            await asyncio.sleep(SETTLE_S)  # time, cache and first uploads
            for _ in range(0 if self.role else TAPS):
                await board.tap(self.site.cards["stranger"], hold_ms=200)
                await asyncio.sleep(0.2)
            await asyncio.sleep(SETTLE_S)
            heap = await board.heap()
            figures = await self.site.heartbeat()
            assert len(board.starts) == 1, "the board was reset; look at its log"
            staged = self.lab.directory / "boards" / board.id / "staged" / build.SLOT
            modules = firmware_modules(staged, await board.modules())
            heap_32_bytes = heap_32.loaded_bytes(staged, list(modules))
            say(f"  heap {heap}; heartbeat {figures}")
            return {
                "steady_kib": kib(heap.alloc - heap.shim),
                "steady_process_kib": kib(heap.alloc),
                "shim_kib": kib(heap.shim),
                "loaded_mpy_kib": kib(sum(path.stat().st_size for path in modules.values())),
                "loaded_heap_kib": kib(weigh(staged, modules)[-1][1]),
                "loaded_heap_32_kib": None if heap_32_bytes is None else kib(heap_32_bytes),
                "flash_kib": kib(board.flash_bytes),
                "boot_ms": round(boot_ms),
                "longest_stall_ms": figures["longest_stall_ms"],
            }

    async def updating(self, heap_kib: int) -> dict[str, Any]:
        """What an update costs who stands at the door meanwhile."""
        say(f"a board with heapsize={heap_kib}K that is updated:")

        async def longest_stall() -> float:
            return float((await self.site.heartbeat())["longest_stall_ms"])

        async with self.board(heap_kib) as (board, _):
            card = self.site.cards[CARD]
            return await firmware_update.figures(self.site, board, card, longest_stall)


def firmware_modules(staged: Path, loaded: Iterable[str]) -> dict[str, Path]:
    """The .mpy files of a staged firmware that a board has loaded, by module."""
    files = {
        ".".join(path.relative_to(staged).with_suffix("").parts).removesuffix(".__init__"): path
        for path in staged.rglob("*.mpy")
    }
    return {name: files[name] for name in loaded if name in files}


async def measure(directory: Path) -> dict[str, Any]:
    """Run everything in `directory` and return the figures."""
    site = Site(directory / "site")
    (directory / "site").mkdir()
    await site.start()
    try:
        async with Lab(directory / "lab") as lab:
            bench = Bench(site, lab)
            figures = await weighed(bench)
            figures["update"] = await bench.updating(DOOR_HEAP_KIB)
            figures["roles"] = {role: await weighed(Bench(site, lab, role)) for role in roles()}
    finally:
        await site.stop()
    return {**figures, **await firmware_cache.figures(directory)}


async def weighed(bench: Bench) -> dict[str, Any]:
    """What a kind of board needs."""
    say(f"--- {bench.role or 'the door of the demo'}")
    process = await bench.smallest()
    figures: dict[str, Any] = await bench.steady(max(process + 8, 64))
    figures["min_process_kib"] = process
    figures["min_heap_kib"] = round(process - figures["shim_kib"], 1)
    return figures


def weigh(staged: Path, modules: Iterable[str]) -> list[tuple[str, int]]:
    """What each module of a staged firmware costs on the heap of this interpreter, in bytes; the last is "all"."""
    with tempfile.TemporaryDirectory() as cache:
        rom = build.rom(places.shim(), Path(cache))
        chip = Path(cache) / "rtc"
        Rtc(chip, None).power_up()
        command = toolchain.interpreter_command(rom, "lab_weigh", heap_kib=LARGEST_KIB, rtc=chip)
        done = subprocess.run(
            [*command, str(staged), *modules], check=True, capture_output=True, text=True
        )
    rows = [line.split() for line in done.stdout.splitlines()]
    return [(name, int(size)) for name, size in rows]


def print_weights() -> None:
    """Tell what each module of the firmware costs, in bytes."""
    with tempfile.TemporaryDirectory() as directory:
        staged, cache = Path(directory) / "staged", Path(directory) / "cache"
        staged.mkdir()
        build.stage(places.firmware(), staged, cache)
        # A board loads no more drivers than its config names; here each is weighed once.
        drivers = sorted(f"doorward_drivers.{path.stem}" for path in DRIVERS.glob("[a-z]*.py"))
        parts = ("supervisor", "roles.door", "assembly", "roles.vault", "code_entry")
        program = [f"doorward_node.{part}" for part in parts]
        for name, size in weigh(staged / build.SLOT, program + drivers):
            print(name, size)


def kib(size: float) -> float:
    """Bytes in KiB, rounded."""
    return round(size / KIB, 1)


def main() -> None:
    """Measure, and print one line."""
    logs.configure(logging.WARNING)
    parser = arguments(__doc__)
    parser.add_argument("--modules", action="store_true", help="only weigh each module")
    options = parser.parse_args()
    if options.modules:
        print_weights()
        return
    with tempfile.TemporaryDirectory() as directory:
        figures = asyncio.run(measure(Path(directory)))
    show(figures, options)


if __name__ == "__main__":
    main()
