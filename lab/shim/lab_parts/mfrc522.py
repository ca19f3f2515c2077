# mfrc522.py  The NXP MFRC522 reader chip as its SPI registers show it (datasheet rev. 3.9, section numbers below).
#
# Modelled: FIFO, ComIrq/DivIrq set and clear, CRC coprocessor, timer, Transceive with bit framing and collisions,
# Tx/Rx CRC, antenna, soft and hard reset, and the faults dead, frozen and brown-out. Not modelled: time on the air and
# on SPI, Crypto1 (MFAuthent stays without an answer), gain, self test.
from micropython import const
from time import ticks_diff, ticks_us

from lab_parts import link
from lab_parts.picc import Field, crc_a

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

_CMD_IDLE = const(0x00)
_CMD_CALC_CRC = const(0x03)
_CMD_NO_CHANGE = const(0x07)
_CMD_TRANSCEIVE = const(0x0C)
_CMD_SOFT_RESET = const(0x0F)

_IRQ_TX = const(0x40)
_IRQ_RX = const(0x20)
_IRQ_IDLE = const(0x10)
_IRQ_ERR = const(0x02)
_IRQ_TIMER = const(0x01)

_FIFO_SIZE = const(64)
_NEW_POLL_US = const(1000)  # silence on SPI that separates one poll of the reader from the next

# Registers that are not zero after reset (9.2, 9.3): pairs of address and value.
_AFTER_RESET = b"\x01\x20\x02\x80\x04\x14\x07\x21\x0b\x08\x0c\x10\x0e\xa0\x11\x3f\x14\x80\x21\xff\x22\xff\x24\x26\x26\x48\x36\x40\x37\x92"
_CRC_PRESET = (0x0000, 0x6363, 0xA671, 0xFFFF)


class MFRC522:
    def __init__(self):
        self.field = Field()
        self.dead = False  # cable off: nothing answers
        self._frozen = False  # registers answer, commands do nothing, until a reset
        self._held = False  # NRSTPD low (8.8.1)
        self._registers = bytearray(64)
        self._fifo = bytearray(_FIFO_SIZE)
        self._address = -1
        self._touched = self._poll_start = ticks_us()
        self.reset()

    # --- pins

    def select(self, level):
        # NSS: its falling edge begins a transaction.
        self._address = -1 if level else 0
        if not level:
            now = ticks_us()
            if ticks_diff(now, self._touched) > _NEW_POLL_US:
                self._poll_start = now
            self._touched = now

    def hard_reset(self, level):
        # NRSTPD: low holds the chip in power-down, its rising edge resets.
        self._held = not level
        self.field.power(False)
        if level:
            self.reset()

    def fault(self, name):
        # name: b"ok", b"dead", b"frozen" or b"brownout" (registers as after power-up, nobody told the driver).
        self.dead = name == b"dead"
        if name == b"brownout":
            self.reset()
        else:
            self._frozen = name == b"frozen"

    def reset(self):
        registers = self._registers
        for i in range(64):
            registers[i] = 0
        for i in range(0, len(_AFTER_RESET), 2):
            registers[_AFTER_RESET[i]] = _AFTER_RESET[i + 1]
        self._level = 0
        self._deadline = -1
        self._frozen = False
        self.field.power(False)

    # --- SPI (8.1.2): an address byte, then data; a read answers one byte behind the address that asks for it

    def transfer(self, tx, rx):
        # tx, rx: buffers of one length, or rx None; only between select(0) and select(1).
        if self._address < 0 or self.dead or self._held:
            if rx:
                for i in range(len(rx)):
                    rx[i] = 0
            return
        for i in range(len(tx)):
            value = self._clock(tx[i])
            if rx:
                rx[i] = value

    def _clock(self, octet):
        address = self._address
        if not address:
            self._address = octet | 0x100
            return 0
        register = address >> 1 & 0x3F
        if address & 0x80:
            self._address = octet | 0x100
            return self._read(register)
        self._write(register, octet)
        return 0

    # --- registers

    def _read(self, register):
        if register == _FIFO_DATA:
            return self._pop()
        if register == _FIFO_LEVEL:
            return self._level
        if self._deadline >= 0 and ticks_diff(ticks_us(), self._deadline) >= 0:
            self._deadline = -1
            self._registers[_COM_IRQ] |= _IRQ_TIMER
        if register == _STATUS1:
            return self._registers[_STATUS1] & 0xF7 | (8 if self._deadline >= 0 else 0)
        return self._registers[register]

    def _write(self, register, value):
        if register == _FIFO_DATA:
            self._push(value)
        elif register == _FIFO_LEVEL:
            if value & 0x80:
                self._level = 0
                self._registers[_ERROR] &= 0xEF
        elif register == _COM_IRQ or register == _DIV_IRQ:
            if value & 0x80:
                self._registers[register] |= value & 0x7F
            else:
                self._registers[register] &= ~value & 0x7F
        elif register == _COMMAND:
            self._command(value)
        elif register == _BIT_FRAMING:
            self._registers[register] = value
            if value & 0x80 and self._registers[_COMMAND] & 0x0F == _CMD_TRANSCEIVE and not self._frozen:
                self._transceive()
        elif register == _CONTROL:
            self._timer_control(value)
        elif register == _COLL:
            self._registers[register] = value & 0x80 | self._registers[register] & 0x7F
        elif register != _VERSION and register != _ERROR and register != _STATUS1:
            self._registers[register] = value
            if register == _TX_CONTROL:
                self.field.power(value & 3 == 3)

    def _command(self, value):
        command = value & 0x0F
        if self._frozen and command != _CMD_SOFT_RESET:
            return
        if command == _CMD_SOFT_RESET:
            self.reset()
        elif command != _CMD_NO_CHANGE:
            self._registers[_COMMAND] = value
            if command == _CMD_CALC_CRC:
                self._crc = _CRC_PRESET[self._registers[_MODE] & 3]
                while self._level:
                    self._crc = crc_a(self._crc, self._pop())
                self._show_crc()
            elif command == _CMD_TRANSCEIVE:
                self._registers[_ERROR] = 0

    def _timer_control(self, value):
        if value & 0x80:
            self._deadline = -1
        elif value & 0x40:
            self._start_timer()

    def _start_timer(self):
        # 8.5: ticks of (2 * prescaler + 1) / 13.56 MHz, reload + 1 of them.
        registers = self._registers
        prescaler = (registers[_T_MODE] & 0x0F) << 8 | registers[_T_PRESCALER]
        reload = registers[_T_RELOAD_HIGH] << 8 | registers[_T_RELOAD_LOW]
        self._deadline = ticks_us() + (reload + 1) * (2 * prescaler + 1) * 100 // 1356

    # --- FIFO and CRC coprocessor

    def _push(self, octet):
        registers = self._registers
        if registers[_COMMAND] & 0x0F == _CMD_CALC_CRC:
            self._crc = crc_a(self._crc, octet)
            self._show_crc()
        elif self._level == _FIFO_SIZE:
            registers[_ERROR] |= 0x10
            registers[_COM_IRQ] |= _IRQ_ERR
        else:
            self._fifo[self._level] = octet
            self._level += 1

    def _pop(self):
        if not self._level:
            return 0
        octet = self._fifo[0]
        self._level -= 1
        for i in range(self._level):
            self._fifo[i] = self._fifo[i + 1]
        return octet

    def _show_crc(self):
        registers = self._registers
        registers[_CRC_LOW] = self._crc & 0xFF
        registers[_CRC_HIGH] = self._crc >> 8
        registers[_STATUS1] |= 0x20
        registers[_DIV_IRQ] |= 0x04

    def _crc_over(self, octets):
        crc = _CRC_PRESET[self._registers[_MODE] & 3]
        for i in range(octets):
            crc = crc_a(crc, self._fifo[i])
        return crc

    # --- the air

    def _transceive(self):
        # Send the FIFO, and put what the field answers into it (10.3.1.8).
        link.poll()
        registers = self._registers
        if registers[_TX_MODE] & 0x80:
            crc = self._crc_over(self._level)
            self._push(crc & 0xFF)
            self._push(crc >> 8)
        bits = self._level * 8 - (-registers[_BIT_FRAMING] & 7)
        frame = int.from_bytes(self._fifo[: self._level], "little") & ((1 << bits) - 1)
        self._level = 0
        registers[_ERROR] = 0
        registers[_COLL] = registers[_COLL] & 0x80 | 0x20
        registers[_COM_IRQ] |= _IRQ_TX
        if registers[_T_MODE] & 0x80:
            self._start_timer()
        # A type A card hears 100 % modulation only, which the chip does not do by itself (9.3.2.6).
        answer = self.field.exchange(frame, bits) if registers[_TX_ASK] & 0x40 else None
        if answer is not None:
            self._receive(answer[0], answer[1], answer[2])
        if bits == 7:
            self._note_seen(answer is not None)

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
            registers[_COM_IRQ] |= _IRQ_ERR
            # CollPos counts from 1, and 0 means 32; the align offset is part of it (as NXP's reader library reads it).
            registers[_COLL] = registers[_COLL] & 0x80 | (collision + 1 & 0x1F if collision < 32 else 0x20)
        octets = (bits + 7) // 8
        self._fifo[:octets] = value.to_bytes(octets, "little")
        self._level = octets
        if registers[_RX_MODE] & 0x80:
            self._check_crc()
        registers[_CONTROL] = registers[_CONTROL] & 0xF8 | bits & 7
        registers[_COM_IRQ] |= _IRQ_RX
        if registers[_T_MODE] & 0x80:
            self._deadline = -1  # TAuto: the timer stops at the first received bits

    def _check_crc(self):
        # RxCRCEn: the chip takes the two check bytes out of the FIFO and says whether they were right.
        self._level = max(self._level - 2, 0)
        crc = self._crc_over(self._level)
        if self._fifo[self._level] | self._fifo[self._level + 1] << 8 != crc:
            self._registers[_ERROR] |= 0x04
            self._registers[_COM_IRQ] |= _IRQ_ERR

    def _note_seen(self, answered):
        if not answered:
            link.flush_seen()
        elif self.fresh:
            self.fresh = False
            link.saw_card(self._poll_start)

    fresh = False  # a card has come and no REQA or WUPA has found it yet
