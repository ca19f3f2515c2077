# mfrc522.py  The NXP MFRC522 reader chip as its SPI registers show it (datasheet rev. 3.9, section numbers below).
#
# Modelled: FIFO, ComIrq/DivIrq set and clear, CRC coprocessor, timer, Transceive with bit framing and collisions,
# Tx/Rx CRC, antenna, soft and hard reset, and the faults dead, frozen and brown-out. Not modelled: time on the air and
# on SPI, Crypto1 (MFAuthent stays without an answer), gain, self test.
from time import ticks_diff, ticks_us

from micropython import const

from lab_parts import link
from lab_parts.picc import Card, Field, crc_a

_COMMAND = const(0x01)
_COM_IRQ = const(0x04)
_DIV_IRQ = const(0x05)
_ERROR = const(0x06)
_STATUS1 = const(0x07)
_FIFO_DATA = const(0x09)
_FIFO_LEVEL = const(0x0A)
_CONTROL = const(0x0C)
_BIT_FRAMING = const(0x0D)
_COLL = const(0x0E)
_MODE = const(0x11)
_TX_MODE = const(0x12)
_RX_MODE = const(0x13)
_TX_CONTROL = const(0x14)
_TX_ASK = const(0x15)
_CRC_HIGH = const(0x21)
_CRC_LOW = const(0x22)
_T_MODE = const(0x2A)
_T_PRESCALER = const(0x2B)
_T_RELOAD_HIGH = const(0x2C)
_T_RELOAD_LOW = const(0x2D)
_VERSION = const(0x37)

_CALC_CRC = const(0x03)
_NO_CHANGE = const(0x07)
_TRANSCEIVE = const(0x0C)
_SOFT_RESET = const(0x0F)

_IRQ_TX = const(0x40)
_IRQ_RX = const(0x20)
_IRQ_ERR = const(0x02)
_IRQ_TIMER = const(0x01)

_FIFO_SIZE = const(64)
_NEW_POLL_US = const(1000)  # silence on SPI that separates one poll of the reader from the next

# Registers that are not zero after reset (9.2, 9.3): pairs of address and value.
_AFTER_RESET = (
    b"\x01\x20\x02\x80\x04\x14\x07\x21\x0b\x08\x0c\x10\x0e\xa0\x11\x3f"
    b"\x14\x80\x21\xff\x22\xff\x24\x26\x26\x48\x36\x40\x37\x92"
)
_CRC_PRESET = b"\x00\x00\x63\x63\x71\xa6\xff\xff"  # by ModeReg.CRCPreset, low byte first


class MFRC522:
    idle = 0  # what MISO reads while the chip does not drive it
    sags = False  # its supply: the antenna's current makes it dip, and the chip starts anew

    def __init__(self):
        self._field = Field()
        self._fresh = False  # a card has come that no REQA or WUPA has found yet
        self._dead = False  # cable off: nothing answers
        self._held = False  # NRSTPD low (8.8.1)
        self._registers = bytearray(64)
        self._fifo = bytearray(_FIFO_SIZE)
        self._address = -1  # -1: not selected, 0: the next octet is an address
        self._touched = self._poll_start = ticks_us()
        self._reset()

    def told(self, words):
        # card UID SAK BCC_XOR: one more card in the field | nocard: none
        # reader ok|dead|frozen|brownout: the last one resets the registers and tells nobody
        name = words[-1]
        if words[0] == b"card":
            uid = bytes.fromhex(words[1].decode())
            self._field.cards.append(Card(uid, int(words[2]), int(name)))
            self._fresh = True
        elif words[0] == b"nocard":
            self._field.cards.clear()
            self._fresh = False
        elif name == b"brownout":
            self._reset()
        else:
            self._dead = name == b"dead"
            self._frozen = name == b"frozen"

    def _reset(self):
        registers = self._registers
        for i in range(64):
            registers[i] = 0
        for i in range(0, len(_AFTER_RESET), 2):
            registers[_AFTER_RESET[i]] = _AFTER_RESET[i + 1]
        self._level = 0
        self._deadline = -1  # of the timer, -1: it does not run
        self._frozen = False  # registers answer, commands do nothing, until a reset
        self._field.power(False)

    # --- pins and SPI (8.1.2)

    def hard_reset(self, level):
        # NRSTPD: low holds the chip in power-down, its rising edge resets.
        self._held = not level
        self._reset()

    def select(self, level):
        # NSS: its falling edge begins a transaction.
        self._address = -1 if level else 0
        if not level:
            now = ticks_us()
            if ticks_diff(now, self._touched) > _NEW_POLL_US:
                self._poll_start = now
                link.poll()  # a chip that is dead or frozen gets no further than this
            self._touched = now

    def transfer(self, out, into):
        # out, into: buffers of one length; into may be None. The first octet of a transaction is
        # an address; a read answers one octet behind the address that asks for it.
        silent = self._address < 0 or self._dead or self._held
        for i in range(len(out)):
            value = self.idle
            if not silent:
                value = 0
                octet = out[i]
                address = self._address
                if address & 0x80:
                    value = self._read(address >> 1 & 0x3F)
                elif address:
                    self._write(address >> 1 & 0x3F, octet)
                if not address or address & 0x80:
                    self._address = octet | 0x100
            if into:
                into[i] = value

    # --- registers

    def _read(self, register):
        if register == _FIFO_DATA:
            return self._pop()
        if register == _FIFO_LEVEL:
            return self._level
        if self._deadline >= 0 and ticks_diff(ticks_us(), self._deadline) >= 0:
            self._deadline = -1
            self._registers[_COM_IRQ] |= _IRQ_TIMER
        value = self._registers[register]
        return value | 8 if register == _STATUS1 and self._deadline >= 0 else value

    def _write(self, register, value):
        registers = self._registers
        if register == _FIFO_DATA:
            self._push(value)
        elif register == _FIFO_LEVEL:
            if value & 0x80:
                self._level = 0
                registers[_ERROR] &= 0xEF
        elif register in (_COM_IRQ, _DIV_IRQ):
            marked = value & 0x7F
            registers[register] = registers[register] & ~marked | (marked if value & 0x80 else 0)
        elif register == _COMMAND:
            self._command(value)
        elif register == _CONTROL:
            if value & 0x80:
                self._deadline = -1
            elif value & 0x40:
                self._start_timer()
        elif register == _COLL:
            registers[_COLL] = value & 0x80 | registers[_COLL] & 0x7F
        elif register not in (_VERSION, _ERROR, _STATUS1):
            registers[register] = value
            self._written(register, value)

    def _written(self, register, value):
        # What a plain register does once it holds its new value.
        if register == _TX_CONTROL:
            self._field.power(value & 3 == 3)
            if self.sags and value & 3 == 3:
                self._reset()
        elif register == _BIT_FRAMING:
            command = self._registers[_COMMAND] & 0x0F
            if value & 0x80 and command == _TRANSCEIVE and not self._frozen:
                self._transceive()

    def _command(self, value):
        command = value & 0x0F
        if command == _SOFT_RESET:
            self._reset()
        elif command != _NO_CHANGE and not self._frozen:
            self._registers[_COMMAND] = value
            if command == _CALC_CRC:
                # It runs on over what is written later, until another command ends it (10.3.1.4).
                self._show_crc(self._crc_of_fifo(self._level))
                self._level = 0

    def _start_timer(self):
        # 8.5: reload + 1 periods of (2 * prescaler + 1) / 13.56 MHz.
        registers = self._registers
        prescaler = (registers[_T_MODE] & 0x0F) << 8 | registers[_T_PRESCALER]
        reload = registers[_T_RELOAD_HIGH] << 8 | registers[_T_RELOAD_LOW]
        self._deadline = ticks_us() + (reload + 1) * (2 * prescaler + 1) * 100 // 1356

    # --- FIFO and CRC coprocessor

    def _push(self, octet):
        registers = self._registers
        if registers[_COMMAND] & 0x0F == _CALC_CRC:
            self._show_crc(crc_a(registers[_CRC_HIGH] << 8 | registers[_CRC_LOW], octet))
        elif self._level == _FIFO_SIZE:
            registers[_ERROR] |= 0x10
            registers[_COM_IRQ] |= _IRQ_ERR
        else:
            self._fifo[self._level] = octet
            self._level += 1

    def _pop(self):
        octet = self._fifo[0]
        if not self._level:
            return 0
        self._level -= 1
        for i in range(self._level):
            self._fifo[i] = self._fifo[i + 1]
        return octet

    def _show_crc(self, crc):
        self._registers[_CRC_LOW] = crc & 0xFF
        self._registers[_CRC_HIGH] = crc >> 8
        self._registers[_DIV_IRQ] |= 0x04

    def _crc_of_fifo(self, octets):
        preset = (self._registers[_MODE] & 3) * 2
        crc = _CRC_PRESET[preset] | _CRC_PRESET[preset + 1] << 8
        for i in range(octets):
            crc = crc_a(crc, self._fifo[i])
        return crc

    # --- the air

    def _transceive(self):
        # Send the FIFO, and put what the field answers into it (10.3.1.8).
        link.poll()
        registers = self._registers
        if registers[_TX_MODE] & 0x80:
            crc = self._crc_of_fifo(self._level)
            self._push(crc & 0xFF)
            self._push(crc >> 8)
        bits = self._level * 8 - (-registers[_BIT_FRAMING] & 7)
        frame = int.from_bytes(self._fifo[: self._level], "little") & ((1 << bits) - 1)
        self._level = 0
        registers[_ERROR] = 0
        registers[_COLL] = registers[_COLL] & 0x80 | 0x20
        registers[_COM_IRQ] |= _IRQ_TX
        # A type A card hears 100 % modulation only, which the chip does not do by itself (9.3.2.6).
        answer = self._field.exchange(frame, bits) if registers[_TX_ASK] & 0x40 else None
        if answer is not None:
            self._receive(*answer)  # TAuto: its first bits stop the timer
        elif registers[_T_MODE] & 0x80:
            self._start_timer()
        if bits == 7 and (self._fresh or answer is None):
            link.saw_card(self._poll_start if answer is not None else 0)
            self._fresh = self._fresh and answer is None

    def _receive(self, value, bits, collision):
        registers = self._registers
        align = registers[_BIT_FRAMING] >> 4 & 7
        value <<= align
        bits += align
        if collision >= 0:
            collision += align
            if not registers[_COLL] & 0x80:
                value &= (1 << collision) - 1  # ValuesAfterColl: 0 clears what follows
            registers[_ERROR] |= 0x08
            # CollPos counts from 1, 0 means 32; the alignment is part of it, as NXP's own reader
            # library reads it.
            where = collision + 1 & 0x1F if collision < 32 else 0x20
            registers[_COLL] = registers[_COLL] & 0x80 | where
        self._level = (bits + 7) // 8
        self._fifo[: self._level] = value.to_bytes(self._level, "little")
        if registers[_RX_MODE] & 0x80:
            # RxCRCEn: the chip takes the two check bytes away and says whether they were right.
            self._level = max(self._level - 2, 0)
            check = self._fifo[self._level] | self._fifo[self._level + 1] << 8
            if check != self._crc_of_fifo(self._level):
                registers[_ERROR] |= 0x04
        registers[_CONTROL] = registers[_CONTROL] & 0xF8 | bits & 7
        registers[_COM_IRQ] |= _IRQ_RX | (_IRQ_ERR if registers[_ERROR] else 0)
