# Where an MFRC522 answers that does not where it should. A part of selftest.py.
#
# With no chip in its place nobody can be disturbed: its pins are tried in other roles, and pins beside
# them that nothing hangs on.

import asyncio

from doorward_core.compat import const
from machine import Pin, SoftSPI

# Its start after a reset takes 37 ms and more (MFRC522 data sheet 8.8.2).
_START_MS = const(50)
_BAUD = const(5000000)
_SLOW = const(100000)
# VersionReg, read.
_VERSION = const(0x80 | 0x37 << 1)
_NOTHING = (0x00, 0xFF)
_MOST_NEAR = const(6)
# sck, mosi, miso, cs, rst: wires that lie beside each other, and are taken for each other.
_NAMES = ("sck", "mosi", "miso", "cs", "rst")
_PAIRS = b"\x01\x02\x03\x04\x03\x00\x00\x01\x00\x02\x03\x01\x03\x02\x04\x02"


async def look(report, parameters):
    data = report.silent
    pins = report.pins()
    wires = [pins["reader"].get(name) for name in _NAMES]
    # Pins that something else hangs on are never driven here, whoever names them.
    near = [pin for pin in parameters.get("near", ())[:_MOST_NEAR] if not _names(pins, pin)]
    del pins

    async def search(chip):
        await _search(chip.spi, wires, near, data)

    await report.between_polls(search)
    report.say("reader", data)


async def _search(spi, wires, near, data):
    spi.deinit()
    data["up"] = await _ask(wires, Pin.PULL_UP)
    data["down"] = await _ask(wires, Pin.PULL_DOWN)
    for at in range(0, len(_PAIRS), 2):
        one, other = _PAIRS[at], _PAIRS[at + 1]
        changed = wires[:]
        changed[one], changed[other] = wires[other], wires[one]
        if None not in (wires[one], wires[other]) and await _ask(changed) not in _NOTHING:
            data["swap"] = [_NAMES[one], _NAMES[other]]
            break
    else:
        for pin in near:
            found = await _ask(wires[:3] + [pin] + wires[4:])
            Pin(pin, Pin.IN)
            if found not in _NOTHING:
                data["cs"] = pin
                break
    for pin in wires[3:]:
        if pin is not None:
            Pin(pin, Pin.OUT, value=1)
    sck, mosi, miso = [Pin(pin) for pin in wires[:3]]
    spi.init(baudrate=_BAUD, polarity=0, phase=0, sck=sck, mosi=mosi, miso=miso)


async def _ask(wires, pull=-1):
    # The version that a chip tells which is wired so; what an idle MISO reads without one.
    try:
        sck, mosi, miso = [Pin(pin) for pin in wires[:3]]
        select = Pin(wires[3], Pin.OUT, value=1)
        if wires[4] is not None:
            Pin(wires[4], Pin.OUT, value=1)
        spi = SoftSPI(baudrate=_SLOW, polarity=0, phase=0, sck=sck, mosi=mosi, miso=miso)
        miso.init(Pin.IN, pull)
    except ValueError:
        return 0  # a pin that is only an input, or has no resistor of its own
    await asyncio.sleep_ms(_START_MS)
    answer = bytearray(2)
    select(0)
    spi.write_readinto(bytes((_VERSION, 0)), answer)
    select(1)
    return answer[1]


def _names(pins, number):
    # Whether any part's fields hold this number: as a pin or as something else, it does not matter.
    for value in pins.values() if isinstance(pins, dict) else pins:
        if value == number or (isinstance(value, (dict, list)) and _names(value, number)):
            return True
    return False
