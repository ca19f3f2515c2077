# The PN532's I2C (UM0701-02, 6.2.4): address 0x24, and a status byte before every frame.

import asyncio

from doorward_core.compat import const
from doorward_drivers import ReaderError

_ADDRESS = const(0x24)
_FREQ = const(400000)


class I2c:
    def __init__(self, i2c):
        self._i2c = i2c
        self._status = bytearray(1)

    async def wake(self):
        # Its address wakes it, and is not acknowledged that once.
        self.ready()
        await asyncio.sleep_ms(2)

    def ready(self):
        try:
            self._i2c.readfrom_into(_ADDRESS, self._status)
        except OSError:
            return False  # busy; one that is not there runs into the time limit
        return self._status[0] & 1 == 1

    def write(self, frame):
        self._try(self._i2c.writeto, frame)

    def read(self, into):
        # into[1:] is the frame.
        self._try(self._i2c.readfrom_into, into)

    def _try(self, move, data):
        try:
            move(_ADDRESS, data)
        except OSError:
            raise ReaderError("nothing at the address of a PN532")


def make(settings):
    # settings: i2c, sda, scl.
    from machine import I2C, Pin

    return I2c(I2C(settings["i2c"], sda=Pin(settings["sda"]), scl=Pin(settings["scl"]), freq=_FREQ))
