# picc.py  ISO/IEC 14443-3 type A cards (PICC) in the reader's field, at the level of bits on the air.
#
# A frame is an int of its data bits, first bit on the air in bit 0, with its length in bits; parity is not modelled.
# Cards answer in the same bit grid, so answers that differ at a bit collide there, as Manchester coding makes visible.
from micropython import const

_IDLE = const(0)
_READY = const(1)
_ACTIVE = const(2)
_HALT = const(3)  # READY and ACTIVE entered from here fall back to here

_REQA = const(0x26)
_WUPA = const(0x52)
_CT = const(0x88)  # cascade tag: "this level is not the end of the UID"


def crc_a(crc, octet):
    # One step of CRC_A (ISO/IEC 14443-3 annex B); starts from 0x6363.
    octet ^= crc & 0xFF
    octet = (octet ^ (octet << 4)) & 0xFF
    return (crc >> 8) ^ (octet << 8) ^ (octet << 3) ^ (octet >> 4)


def crc_of(value, octets):
    crc = 0x6363
    for i in range(octets):
        crc = crc_a(crc, (value >> (8 * i)) & 0xFF)
    return crc


class Card:
    # uid: 4, 7 or 10 bytes; sak: the last SELECT's answer; bcc_xor: a fault, spoils every UID check byte.
    def __init__(self, uid, sak, bcc_xor=0):
        self._uid = uid
        self._sak = sak
        self._bcc_xor = bcc_xor
        self.power_off()

    def power_off(self):
        self._state = _IDLE
        self._rest = _IDLE  # the state that an unexpected frame falls back to
        self._level = 0

    def exchange(self, frame, bits):
        # Return (answer, its length in bits), or None for silence.
        if bits == 7:
            return self._wake(frame)
        if self._state == _READY and frame & 0xFF == 0x93 + 2 * self._level:
            answer = self._anticollision(frame >> 8 & 0xFF, frame >> 16, bits - 16)
            if answer is not None or self._state == _READY:
                return answer
        elif self._state == _ACTIVE and bits == 32 and frame == 0x50 | crc_of(0x50, 2) << 16:
            self._state = self._rest = _HALT  # HLTA is never answered
            return None
        self._state = self._rest
        return None

    def _wake(self, frame):
        expected = self._state == _IDLE or (self._state == _HALT and frame == _WUPA)
        if not expected or (frame != _REQA and frame != _WUPA):
            self._state = self._rest
            return None
        self._state = _READY
        self._level = 0
        # ATQA: bit frame anticollision, and the size of the UID.
        return (0x04 | (len(self._uid) - 4) // 3 << 6, 16)

    def _level_bits(self):
        # The 40 bits that this cascade level sends: four UID bytes (or CT and three) and their check byte BCC.
        at = 3 * self._level
        part = self._uid[at:]
        if len(part) > 4:
            part = bytes((_CT,)) + part[:3]
        bcc = part[0] ^ part[1] ^ part[2] ^ part[3] ^ self._bcc_xor
        return int.from_bytes(part, "little") | bcc << 32

    def _anticollision(self, nvb, known, count):
        own = self._level_bits()
        if nvb == 0x70 and count == 56:
            return self._select(known, own)
        if (nvb >> 4) * 8 + (nvb & 7) - 16 != count or count > 32:
            self._state = self._rest
            return None
        mask = (1 << count) - 1
        if (own ^ known) & mask:
            return None  # another card is meant; stay READY
        return (own >> count, 40 - count)

    def _select(self, known, own):
        crc = crc_of(0x7093 + 2 * self._level | (known & 0xFFFFFFFFFF) << 16, 7)
        if known != own | crc << 40:
            self._state = self._rest
            return None
        complete = len(self._uid) - 3 * self._level <= 4
        if complete:
            self._state = _ACTIVE
        self._level += 1
        sak = self._sak if complete else 0x04
        return (sak | crc_of(sak, 1) << 8, 24)


class Field:
    # The cards before one antenna.
    def __init__(self):
        self.cards = []
        self._powered = False

    def power(self, on):
        if self._powered and not on:
            for card in self.cards:
                card.power_off()
        self._powered = on

    def exchange(self, frame, bits):
        # Return (answer, bits, first collided bit or -1), or None when no card answers.
        if not self._powered:
            return None
        heard, length, clash = -1, 0, 0
        for card in self.cards:
            answer = card.exchange(frame, bits)
            if answer is None:
                continue
            if heard < 0:
                heard, length = answer
            else:
                clash |= heard ^ answer[0]
                if answer[1] != length:
                    clash |= 1 << min(answer[1], length)
                    length = max(answer[1], length)
                heard |= answer[0]
        if heard < 0:
            return None
        first = -1
        if clash:
            first = 0
            while not clash >> first & 1:
                first += 1
        return (heard, length, first)
