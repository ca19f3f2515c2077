# A Wiegand reader, with or without keys: two lines, D0 and D1, high until one of them falls for a bit.
#
# 26 and 34 bits are a card, the first and the last of them parity (SIA AC-01). 4 bits are a key;
# 8 bits are a key behind its own complement. A frame ends when no bit has come for a while.

from doorward_core.compat import const, ticks_diff

# Bits come 0.2 to 20 ms apart, frames more than 50.
_GAP_US = const(25000)
_MOST = const(40)
_KEYS = "0123456789*#"


class Wiegand:
    # d0, d1: inputs with a pull-up each; ticks_us: time.ticks_us. To doorward_node.reader a reader,
    # whose poll() tells a card once, and a keypad to who takes keys with sample(), or both.
    def __init__(self, d0, d1, ticks_us):
        self._ticks_us = ticks_us
        # One is filled by the interrupts while the other waits to be read. A byte a bit: 34 bits in
        # a number would not fit into a small int, and a handler must not allocate.
        self._bits = bytearray(_MOST)
        self._full = bytearray(_MOST)
        self._count = self._full_count = 0
        self._last = 0
        self._card = None
        self._keys = ""
        self.bad = 0  # frames that were not understood
        self.lost = 0  # frames that came while two were waiting
        d0.irq(self._on_d0, d0.IRQ_FALLING)
        d1.irq(self._on_d1, d1.IRQ_FALLING)

    async def start(self):
        # There is nothing to ask whether it is there.
        self._count = self._full_count = 0

    def healthy(self):
        return True

    def health(self):
        return {"chip": "wiegand", "bad": self.bad, "lost": self.lost}

    async def poll(self):
        # The number of the card that was held to it last, as four bytes; None after that.
        self._read()
        card, self._card = self._card, None
        return card

    def sample(self):
        # The next key that was pressed, or None.
        self._read()
        key = self._keys[:1]
        self._keys = self._keys[1:]
        return key or None

    def _read(self):
        # Takes what has come to its end.
        if self._full_count:
            count, self._full_count = self._full_count, 0
            self._take(self._full, count)
        if self._count and ticks_diff(self._ticks_us(), self._last) > _GAP_US:
            # From the lines' silence until here no bit comes between: handlers run between calls.
            count = self._count
            self._bits, self._full = self._full, self._bits
            self._count = 0
            self._take(self._full, count)

    # --- in an interrupt: nothing here allocates

    def _on_d0(self, _pin):
        self._bit(0)

    def _on_d1(self, _pin):
        self._bit(1)

    def _bit(self, value):
        now = self._ticks_us()
        if self._count and ticks_diff(now, self._last) > _GAP_US:
            # The loop was away for longer than a frame.
            if self._full_count:
                self.lost += 1
            self._full_count = self._count
            self._bits, self._full = self._full, self._bits
            self._count = 0
        self._last = now
        if self._count < _MOST:
            self._bits[self._count] = value
            self._count += 1

    # --- what it means

    def _take(self, bits, count):
        if count in (26, 34):
            card = number(bits, count)
            if card:
                self._card = card
                return
        elif count in (4, 8):
            key = _value(bits, count - 4, count)
            if key < len(_KEYS) and (count == 4 or key ^ 0x0F == _value(bits, 0, 4)):
                # Nobody types twenty keys and none is fetched.
                self._keys = (self._keys + _KEYS[key])[-20:]
                return
        self.bad += 1


def number(bits, count):
    # The card in a frame of 26 or 34 bits, as four bytes; None if the parity is wrong. The first
    # half of all bits is even, the second odd. 26 bits carry three bytes: the first is 0.
    half = count // 2
    if sum(bits[:half]) & 1 or not sum(bits[half:count]) & 1:
        return None
    return _value(bits, 1, count - 1).to_bytes(4, "big")


def _value(bits, first, last):
    value = 0
    for index in range(first, last):
        value = value << 1 | bits[index]
    return value


def make(settings):
    # settings: d0, d1. The lines are 5 V: they need a level shifter.
    from time import ticks_us

    from machine import Pin

    d0, d1 = [Pin(settings[name], Pin.IN, Pin.PULL_UP) for name in ("d0", "d1")]
    return Wiegand(d0, d1, ticks_us)
