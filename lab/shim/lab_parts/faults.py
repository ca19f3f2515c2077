# faults.py  What is wrong with a board, as its chip sees it. Loaded when the lab says that something is.
import os

import machine


class Loom:
    # The reader's wires as they really are. wires: (sck, mosi, miso) that the chip hangs on.
    firstbit = 0

    def __init__(self, chip, wires, is_right):
        self.chip = chip
        self.wires = wires
        self._is_right = is_right

    def transfer(self, out, into):
        # By the pins of the profile.
        if self._is_right:
            self.chip.transfer(out, into)
        elif into:
            for i in range(len(into)):
                into[i] = 0


def told(words):
    # fault NAME VALUE …
    _faults[words[1]](*[int(word) for word in words[2:]])


def _wires(bus, *pins):
    # wires BUS SCK MOSI MISO CS RST, as they are, and as the profile has them; -1: nowhere
    real, meant = pins[:5], pins[5:]
    loom = machine.buses.get("loom")
    chip = loom.chip if loom else machine.buses[bus]
    for pin in (3, 4):
        for number in (meant[pin], real[pin]):
            machine.parts.pop(number, None)
    loom = Loom(chip, real[:3], real[:3] == meant[:3])
    machine.buses[bus] = machine.buses["loom"] = loom
    for number, part in ((real[3], chip.select), (real[4], chip.hard_reset)):
        pin = machine.pins.get(number)
        if number >= 0:
            machine.parts[number] = part
        # A terminal that hangs on nothing: not selected, held in reset.
        level = 1 if part == chip.select else 0
        if number >= 0 and pin:
            level = 1 if pin.drives(1) else 0 if pin.drives(0) else level
        part(level)


def _sag(on):
    loom = machine.buses.get("loom")
    for chip in [loom.chip] if loom else machine.buses.values():
        chip.sags = bool(on)
        if on:
            chip.told((b"brownout",))


def _rssi(dbm):
    import network

    network.rssi = dbm


def _fill(on):
    # The whole flash, to the last block.
    name = "/left-over"
    if not on:
        os.remove(name)
        return
    block = bytes(256)
    try:
        with open(name, "ab") as file:
            while True:
                for _ in range(16):
                    file.write(block)
                file.flush()  # what was not flushed when there is no room is given back
    except OSError:
        pass


_faults = {b"wires": _wires, b"sag": _sag, b"rssi": _rssi, b"fill": _fill}
