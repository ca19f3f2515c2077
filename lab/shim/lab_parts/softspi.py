# softspi.py  machine.SoftSPI, for what looks for a chip on other pins. Apart from machine_more.py: that is larger.
import machine

__all__ = ("SoftSPI",)


class SoftSPI:
    # What hangs on these very pins, if anything does; a MISO that nothing drives follows its resistor.
    def __init__(self, *args, sck, mosi, miso, **kwargs):
        for pin, mode in ((sck, 3), (mosi, 3), (miso, 1)):
            pin.init(mode)
        self._miso = miso
        loom = machine.buses.get("loom")
        wires = (sck.number, mosi.number, miso.number)
        self._chip = loom.chip if loom and loom.wires == wires else None

    def write_readinto(self, out, into):
        idle = 0xFF if self._miso() else 0
        if self._chip:
            self._chip.idle = idle
            self._chip.transfer(out, into)
            self._chip.idle = 0
        else:
            for i in range(len(into)):
                into[i] = idle
