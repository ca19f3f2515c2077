# pn532.py  The PN532's bus: frames in and out over SPI (low bit first) or I2C, and its IRQ line. What a frame means is
# worked out in the lab (doorward_lab/pn532.py). User manual UM0701-02, sections 6.2.4 and 6.2.5.
from time import ticks_us

import machine
from lab_parts import link

_WRITE, _STATUS, _READ = 1, 2, 3


class PN532:
    address = 0x24
    firstbit = 0

    def __init__(self, irq=None):
        self._irq = irq
        self._frames = []  # that wait to be read, oldest first
        self._dead = False  # cable off
        self._held = False  # RSTPD_N low
        self._operation = 0  # of the SPI transaction; 0: its first octet has not come
        self._written = b""
        self._at = (
            -1
        )  # octets of the first frame that were read in this transaction, -1: none begun
        self._signal()

    def told(self, words):
        # pn532 FRAME FRESH: a frame to be read; FRESH 1: it names a card for the first time | pn532 drop: none waits
        # reader dead|…: the lab answers for all but a cable that is off
        if words[0] == b"reader":
            self._dead = words[1] == b"dead"
        elif words[1] == b"drop":
            self._frames.clear()
        elif not self._held:
            self._frames.append(bytes.fromhex(words[1].decode()))
            link.saw_card(ticks_us() if words[2] == b"1" else 0)
        self._signal()

    def hard_reset(self, level):
        self._held = not level
        self._frames.clear()
        self._signal()
        if self._held:
            link.send(b"pn532 reset")

    def present(self):
        link.poll()
        return not self._dead and not self._held

    def _signal(self):
        # IRQ is low while a frame waits; a line that is cut is pulled up.
        if self._irq is None:
            return
        level = 0 if self._frames and not self._dead else 1
        pin = machine.pins.get(self._irq)
        if pin:
            pin.change(level)
        else:
            machine.levels[self._irq] = level

    def _consumed(self):
        del self._frames[:1]
        self._signal()

    # --- I2C

    def wrote(self, data):
        # What the host writes ends what it has not fetched.
        self._frames.clear()
        self._signal()
        link.send(b"pn532 " + bytes(data).hex().encode())

    def read(self, into):
        frame = self._frames[0] if self._frames else None
        for i in range(len(into)):
            into[i] = frame[i - 1] if frame and 0 < i <= len(frame) else 0
        if frame:
            into[0] = 1
            if len(into) > 1:
                self._consumed()

    # --- SPI

    def select(self, level):
        link.poll()
        if level:
            if self._written and not self._dead and not self._held:
                self.wrote(self._written)
            if self._at >= 0:
                self._consumed()
        self._operation = 0
        self._written = b""
        self._at = -1

    def transfer(self, out, into):
        for i in range(len(out)):
            octet = self._exchange(out[i] if self.firstbit else _reversed(out[i]))
            if into:
                into[i] = octet if self.firstbit else _reversed(octet)

    def _exchange(self, octet):
        if self._dead or self._held:
            return 0xFF
        if not self._operation:
            self._operation = octet
            return 0
        if self._operation == _STATUS:
            return 1 if self._frames else 0
        if self._operation == _WRITE:
            self._written += bytes((octet,))
        elif self._operation == _READ and self._frames:
            self._at += 1
            frame = self._frames[0]
            return frame[self._at] if self._at < len(frame) else 0
        return 0


def _reversed(octet):
    turned = 0
    for _ in range(8):
        turned = turned << 1 | octet & 1
        octet >>= 1
    return turned


def solder(wiring):
    # wiring: pins.reader of config.json.
    chip = PN532(wiring.get("irq"))
    if wiring["bus"] == "i2c":
        machine.buses["i2c%d" % wiring["i2c"]] = chip
    else:
        machine.buses[wiring["spi"]] = chip
        machine.parts[wiring["cs"]] = chip.select
    if wiring.get("rst") is not None:
        machine.parts[wiring["rst"]] = chip.hard_reset
    for word in (b"pn532", b"reader"):
        link.handlers[word] = chip.told
