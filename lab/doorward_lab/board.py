"""A virtual board: its power, its card field, its contact."""

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from doorward_lab import faults
from doorward_lab.air import Air
from doorward_lab.causes import Cause
from doorward_lab.errors import BoardFailed
from doorward_lab.leaf import Leaf
from doorward_lab.power import Power
from doorward_lab.readers import Fault
from doorward_lab.record import Record
from doorward_lab.rtc import Rtc
from doorward_lab.serial_port import SerialPort
from doorward_lab.surroundings import Surroundings
from doorward_lab.wire import Duty, Heap

# For what hangs: a board that ends says so at once.
_START_TIMEOUT_S = 60.0
_ANSWER_TIMEOUT_S = 30.0
# How long a key is held down for a board that does not look at its keypad.
_UNREAD_KEY_S = 10.0


class Board(Record):
    """One board of a lab, made by `Lab.start_board`. Times are CLOCK_MONOTONIC in ns, as `time.monotonic_ns()`."""

    def __init__(
        self,
        profile: Mapping[str, Any],
        command: list[str],
        image: Path,
        log_file: Path,
        ticks_ms: int | None = None,
        serial: SerialPort | None = None,
        rtc: Rtc | None = None,
    ) -> None:
        """profile: the board's config.json; command: argv of the interpreter; ticks_ms: as in Lab.start_board.

        serial: its port, which is also its supply: pulling that cable is `kill`. rtc: what the command's chip keeps
        over a reset.
        """
        super().__init__(profile["id"], log_file)
        self.profile = profile
        self.serial = serial
        self.flash_bytes = 0
        pins = profile.get("pins") or {}
        self._world = Surroundings(pins)
        self._leaf = Leaf(pins.get("strike"), self._moved)
        self._at_start = (0, 0)  # heap in use before the firmware, and its size
        self._modules: list[str] = []
        self._asked: dict[str, asyncio.Future[list[str]]] = {}
        self._keys_read = asyncio.Event()
        told = {"pins": pins, "chip": profile.get("chip", "esp32"), "ticks": ticks_ms}
        told |= {"release": serial.release} if serial is not None else {}
        wiring = json.dumps(told, separators=(",", ":"))
        uid = hashlib.sha256(self.id.encode()).hexdigest()[:12]
        self._power = Power(command, image, uid, wiring, self, serial, rtc)

    # --- what it did

    @property
    def starts(self) -> list[tuple[Cause, int]]:
        """Why and when it started, each time."""
        return self._power.starts

    @property
    def pid(self) -> int | None:
        """The process id, None without power."""
        return self._power.pid

    @property
    def is_on(self) -> bool:
        """Whether the board has power."""
        return self._power.is_on

    @property
    def card_present(self) -> bool:
        """Whether a card is in the reader's field."""
        return self._world.reader.card_present

    @property
    def contact_open(self) -> bool | None:
        """Whether the door stands open; None without a contact."""
        return self._world.contact_open

    async def heap(self, timeout: float = _ANSWER_TIMEOUT_S) -> Heap:
        """Collect the board's garbage and measure. Needs firmware that touches the chip now and then."""
        alloc, _, reads, programs, erases = map(int, await self._ask("heap", timeout))
        return Heap(alloc, *self._at_start, reads, programs, erases)

    async def modules(self, timeout: float = _ANSWER_TIMEOUT_S) -> list[str]:
        """Return the names of all modules that the board has imported, the shim's among them."""
        self._modules = []
        await self._ask("modules", timeout)
        return self._modules

    async def _ask(self, question: str, timeout: float) -> list[str]:
        self._asked[question] = asyncio.get_running_loop().create_future()
        self._power.send(question)
        return await asyncio.wait_for(self._asked[question], timeout)

    # --- what is done to it

    def present(self, uid: bytes | str, *, sak: int | None = None, bcc_xor: int = 0) -> int:
        """Put one more card into the field and return when. bcc_xor: not zero spoils its UID check bytes."""
        return self._tell(self._world.card(uid, sak, bcc_xor))

    def remove(self) -> int:
        """Take every card out of the field and return when."""
        return self._tell(self._world.no_card(), stimulus=False)

    async def tap(self, uid: bytes | str, *, hold_ms: int = 600) -> int:
        """Hold a card before the reader for `hold_ms`; returns when it entered the field."""
        entered = self.present(uid)
        await asyncio.sleep(hold_ms / 1000)
        self.remove()
        return entered

    def set_contact(self, is_open: bool) -> int:
        """Open or close the door and return when. Raises SiteError when the board has no contact."""
        return self._tell(self._world.contact(is_open))

    def set_reader(self, fault: Fault) -> int:
        """Break or repair the reader and return when. Raises SiteError when it is of a kind that does not break."""
        return self._tell(self._world.reader.fault(fault))

    def set_switch(self, part: str, is_on: bool) -> int:
        """Press or let go "rex" or "tamper", or move before the "pir"; returns when. Raises SiteError."""
        return self._tell(self._world.switch(part, is_on))

    async def press(self, part: str, *, hold_ms: int = 400) -> int:
        """Press "rex" or "tamper" for a while; returns when it went down."""
        pressed = self.set_switch(part, True)
        await asyncio.sleep(hold_ms / 1000)
        self.set_switch(part, False)
        return pressed

    def hold_keys(self, keys: str) -> int:
        """Hold these keys of the keypad down and let all others go; returns when. Raises SiteError."""
        return self._tell(self._world.keys(keys))

    async def type_keys(self, keys: str, *, hold_ms: int = 120) -> int:
        """Press one key after the other, each for `hold_ms`; returns when the last went down.

        A laptop may be slower than a finger: a key of a matrix is held until the board has seen it, and a reader's
        own is followed by the next one only when the board has had it, or two of them would be one for it.
        """
        pressed = 0
        for key in keys:
            pressed = await self._hold_until_read(key, hold_ms / 1000)
            await self._hold_until_read("", hold_ms / 1000)
        return pressed

    async def _hold_until_read(self, keys: str, seconds: float) -> int:
        self._keys_read.clear()
        lines = self._world.keys(keys)
        now = self._tell(lines)
        await asyncio.sleep(seconds)
        if self.is_on and (self._world.has_matrix or lines):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._keys_read.wait(), _UNREAD_KEY_S)
        return now

    def set_jam(self, is_jammed: bool) -> int:
        """Hold the padlock's bolt where it is, or let it go; returns when. Raises SiteError."""
        return self._tell(self._world.jam(is_jammed))

    def set_wifi(self, air: Air, ssid: str | None = None, key: str | None = None) -> int:
        """Make the access point good or bad and return when; ssid, key: what it is called and wants, None takes any.

        What is sent meanwhile is not lost: a board's sockets are the laptop's.
        """
        return self._tell(self._world.wifi(air, ssid, key))

    def set_fault(self, name: str, *, on: bool = True) -> int:
        """Break something (see `faults`), or mend it; returns when. Raises SiteError."""
        return self._tell(faults.put(name, self._world, self._leaf, on=on))

    def pull(self, *, is_pulled: bool) -> int:
        """Pull at the door, which opens it as soon as the lock lets go, or leave it alone; returns when."""
        now = time.monotonic_ns()
        self._leaf.pull(is_pulled=is_pulled)
        return now

    @property
    def clicks(self) -> int:
        """How often the lock's relay was heard to switch."""
        return self._leaf.clicks

    def _moved(self, is_open: bool) -> None:
        """Somebody has moved the door."""
        if self._world.contact_open is not None:
            self._tell(self._world.contact(is_open))

    def reset(self) -> None:
        """Press the reset button."""
        self._power.restart(Cause.HARD)

    async def kill(self) -> None:
        """Cut the power at this instant; it stays off until `power_on`."""
        await self._power.off()

    def cut_at_flash(self, operations: int, *, torn: bool = False) -> None:
        """Have the power cut at a program or erase of the flash, after `operations` more; torn: in its middle.

        It stays off until `power_on`. An order that has not come to pass ends with a reset.
        """
        self._power.send(f"cut {operations} {int(torn)}")

    def stall_flash(self, erase_ms: int) -> None:
        """Have every erase of the flash stop the whole chip for so long, until the next start (an ESP32: 45 ms)."""
        self._power.send(f"stall {erase_ms}")

    async def wait_cut(self, timeout: float) -> bool:
        """Return when the power has been cut so; False when that took too long."""
        try:
            await asyncio.wait_for(self._power.wait_cut(), timeout)
        except TimeoutError:
            return False
        return True

    async def power_on(self) -> None:
        """Give it power; returns when its program is about to run. Raises BoardFailed when it does not get there."""
        self._since_ns = time.monotonic_ns()
        if self.serial is not None:
            self.serial.plug()
        await self._power.on()
        up = asyncio.create_task(self._power.up.wait())
        ended = asyncio.create_task(self._power.wait_end())
        done, _ = await asyncio.wait(
            {up, ended}, timeout=_START_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
        )
        for task in (up, ended):
            task.cancel()
        if up not in done:
            await self.kill()
            raise BoardFailed(f"{self.id} ended before its program began; {self._last_words()}")

    async def stop(self) -> None:
        """Cut the power for good."""
        await self._power.off()
        if self.serial is not None:
            self.serial.unplug()
        self._close_log()

    def _tell(self, lines: list[str], *, stimulus: bool = True) -> int:
        now = time.monotonic_ns()
        if stimulus:
            self._since_ns = now
        for line in lines:
            self._power.send(line)
        return now

    # --- what it says (power.Listener)

    def started(self, send: Callable[[str], None]) -> None:
        """Tell a new process of the world around it."""
        for line in self._world.lines():
            send(line)

    def heard(self, words: list[str], at_ns: int) -> None:
        """Record what a line reports."""
        match words:
            case ["edge", pin, level, seen_us]:
                driven = None if level == "-1" else int(level)
                self._edge(int(pin), driven, at_ns, int(seen_us) * 1000 or None)
            case ["pn532", _]:
                for line in self._world.reader.heard(words):
                    self._power.send(line)
            case ["pwm", pin, hz, duty]:
                self._witness.duties.append(Duty(int(pin), int(hz), int(duty), at_ns))
            case ["keys"]:
                self._keys_read.set()
            case ["seen", us]:
                self.seen.append(int(us) * 1000)
            case ["up", used, size]:
                self._at_start = (int(used), int(size))
            case ["module", name]:
                self._modules.append(name)
            case [question, *answer] if question in self._asked:
                if not self._asked[question].done():
                    self._asked[question].set_result(answer)
            case _:
                self.printed(f"lab: a line was not understood: {' '.join(words)}")

    def _edge(self, pin: int, level: int | None, at_ns: int, seen_ns: int | None) -> None:
        super()._edge(pin, level, at_ns, seen_ns)
        if pin == self._leaf.pin:
            self._leaf.driven(level)

    def gone(self, at_ns: int) -> None:
        """Its pins are released."""
        self._witness.released(at_ns)
        self._leaf.driven(None)
