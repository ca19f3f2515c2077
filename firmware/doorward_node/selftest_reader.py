# What the card reader's chip says of itself, and where it answers if not where it should.
# A part of selftest.py.
#
# The chip is spoken to between two polls, in the task that polls it.

import asyncio

from doorward_core.compat import const
from doorward_drivers import ReaderError

# Its start after a reset takes 37 ms and more (MFRC522 data sheet 8.8.2).
_START_MS = const(50)
_BAUD = const(5000000)
_SLOW = const(100000)
# VersionReg, read.
_VERSION = const(0x80 | 0x37 << 1)
_NOTHING = (0x00, 0xFF)
# Wires that lie beside each other, and are taken for each other.
_PAIRS = (
    ("mosi", "miso"),
    ("cs", "rst"),
    ("cs", "sck"),
    ("sck", "mosi"),
    ("sck", "miso"),
    ("cs", "mosi"),
    ("cs", "miso"),
    ("rst", "miso"),
)
_MOST_NEAR = const(6)
_PINS = ("sck", "mosi", "miso", "cs", "rst")
# PN532: ends its search; and its test of the antenna, with a threshold in the middle (UM0701-02, 7.2.1).
_ACK = b"\x00\x00\xff\x00\xff\x00"
_DIAGNOSE = const(0x00)
_ANTENNA = b"\x07\x20"


async def look(report, parameters):
    watch = report.app.reader
    pins = report.pins.get("reader")
    if not pins:
        return
    data = {"chip": pins.get("driver", "mfrc522")}
    # Pins that something else hangs on are never driven here, whoever names them.
    near = [number for number in parameters.get("near", ()) if not _names(report.pins, number)]
    turn = Turn(watch, data, pins, near[:_MOST_NEAR])
    watch.reader = turn
    try:
        while not turn.done:
            await report.turn()
    finally:
        watch.reader = turn.chip
    report.say("reader", data)


class Turn:
    # Takes the chip's place for its next poll or start, and gives it back.
    def __init__(self, watch, data, pins, near):
        self.chip = watch.reader
        self._data = data
        self._pins = pins
        self._near = near
        self.done = False

    async def start(self):
        await self._look()
        await self.chip.start()

    async def poll(self):
        await self._look()
        return await self.chip.poll()

    def healthy(self):
        return self.chip.healthy()

    async def _look(self):
        if self.done:
            return
        try:
            data = self._data
            data.update(self.chip.health())
            if data["chip"] == "mfrc522" and data["version"] in _NOTHING:
                await _search(self.chip.spi, self._pins, self._near, data)
            elif data["chip"] == "pn532":
                await _antenna(self.chip, data)
        finally:
            self.done = True


async def _antenna(chip, data):
    try:
        chip._bus.write(_ACK)  # noqa: SLF001 - what only this test asks need not stay in the driver
        data["antenna"] = (await chip._ask(_DIAGNOSE, _ANTENNA))[0]  # noqa: SLF001 - as above
        data["version"] = chip.version()
    except ReaderError:
        data["version"] = 0
    try:
        await chip.start()
    except ReaderError:
        pass  # as before: who polls it finds out by itself


async def _search(spi, pins, near, data):
    # With no chip where it should be, nobody can be disturbed.
    from machine import Pin

    wires = {}
    for name in _PINS:
        if pins.get(name) is not None:
            wires[name] = pins[name]
    spi.deinit()
    for name, pull in (("up", Pin.PULL_UP), ("down", Pin.PULL_DOWN)):
        data[name] = await _ask(wires, pull)
    for one, other in _PAIRS:
        if one in wires and other in wires:
            changed = dict(wires)
            changed[one], changed[other] = wires[other], wires[one]
            if await _ask(changed) not in _NOTHING:
                data["swap"] = [one, other]
                break
    else:
        for number in near:
            changed = dict(wires)
            changed["cs"] = number
            found = await _ask(changed)
            Pin(number, Pin.IN)
            if found not in _NOTHING:
                data["cs"] = number
                break
    for name in ("cs", "rst"):
        if name in wires:
            Pin(wires[name], Pin.OUT, value=1)
    spi.init(
        baudrate=_BAUD,
        polarity=0,
        phase=0,
        sck=Pin(pins["sck"]),
        mosi=Pin(pins["mosi"]),
        miso=Pin(pins["miso"]),
    )


async def _ask(wires, pull=-1):
    # The version that a chip tells which is wired so; what an idle MISO reads without one.
    from machine import Pin, SoftSPI

    try:
        select = Pin(wires["cs"], Pin.OUT, value=1)
        if "rst" in wires:
            Pin(wires["rst"], Pin.OUT, value=1)
        spi = SoftSPI(
            baudrate=_SLOW,
            polarity=0,
            phase=0,
            sck=Pin(wires["sck"]),
            mosi=Pin(wires["mosi"]),
            miso=Pin(wires["miso"]),
        )
        Pin(wires["miso"], Pin.IN, pull)
    except ValueError:
        return 0  # a pin that is only an input, or has no resistor of its own
    await asyncio.sleep_ms(_START_MS)
    answer = bytearray(2)
    select(0)
    spi.write_readinto(bytes((_VERSION, 0)), answer)
    select(1)
    return answer[1]


def _names(pins, number):
    # Whether any part's fields hold this number: as a pin, or as something else, which does not matter.
    for value in pins.values() if isinstance(pins, dict) else pins:
        if value == number or (isinstance(value, (dict, list)) and _names(value, number)):
            return True
    return False
