# The PN532's SPI (UM0701-02, 6.2.5): mode 0, and the low bit first.

import asyncio

from doorward_core.compat import const

_WRITE = const(1)
_STATUS = const(2)
_READ = const(3)

# The chip takes 5 MHz; jumper wires are no printed circuit.
_BAUD = const(1000000)


class Spi:
    # spi: a machine.SPI with firstbit=LSB; select: an output, active low.
    def __init__(self, spi, select):
        self._spi = spi
        self._select = select
        self._pair = bytearray(2)
        select(1)

    async def wake(self):
        # Selected for 2 ms it leaves power-down.
        self._select(0)
        await asyncio.sleep_ms(2)
        self._select(1)

    def ready(self):
        # A chip that is not there reads as all ones.
        self._pair[0] = _STATUS
        self._exchange(self._pair)
        return self._pair[1] == 1

    def write(self, frame):
        self._exchange(bytearray((_WRITE,)) + frame)

    def read(self, into):
        # into[1:] is the frame.
        into[0] = _READ
        self._exchange(into)

    def _exchange(self, buffer):
        self._select(0)
        self._spi.write_readinto(buffer, buffer)
        self._select(1)


def make(settings):
    # settings: spi, sck, mosi, miso, cs.
    from machine import SPI, Pin

    spi = SPI(
        settings["spi"],
        baudrate=_BAUD,
        polarity=0,
        phase=0,
        firstbit=SPI.LSB,
        sck=Pin(settings["sck"]),
        mosi=Pin(settings["mosi"]),
        miso=Pin(settings["miso"]),
    )
    return Spi(spi, Pin(settings["cs"], Pin.OUT, value=1))
