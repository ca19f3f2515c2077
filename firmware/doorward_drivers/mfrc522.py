# NXP MFRC522 over SPI: finds an ISO 14443A card in the field and reads its UID.
#
# Registers and commands: MFRC522 data sheet rev. 3.9, sections 8 to 10. Anticollision: ISO/IEC
# 14443-3, 6.5. The chip's own timer ends every wait: a poll of an empty field costs two dozen
# register accesses, not two thousand. No buffer is allocated after construction.

import asyncio
from time import sleep_us

from doorward_core.compat import const
from doorward_drivers import ReaderError

_COMMAND = const(0x01)
_COM_IRQ = const(0x04)
_ERROR = const(0x06)
_FIFO_DATA = const(0x09)
_FIFO_LEVEL = const(0x0A)
_BIT_FRAMING = const(0x0D)
_COLL = const(0x0E)
_MODE = const(0x11)
_TX_CONTROL = const(0x14)
_TX_ASK = const(0x15)
_RF_CFG = const(0x26)
_T_MODE = const(0x2A)
_T_PRESCALER = const(0x2B)
_T_RELOAD_H = const(0x2C)
_T_RELOAD_L = const(0x2D)
_VERSION = const(0x37)

_IDLE = const(0x00)
_TRANSCEIVE = const(0x0C)
_SOFT_RESET = const(0x0F)
_POWER_DOWN = const(0x10)

# ComIrqReg: something received, command ended by itself, timer ran out.
_RX_IRQ = const(0x20)
_ENDED = const(0x31)

# ErrorReg: collision, and everything that makes an answer worthless (buffer, parity, protocol).
_COLLISION = const(0x08)
_BROKEN = const(0x13)

_WUPA = const(0x52)
_HLTA = const(0x50)
_SELECT = (0x93, 0x95, 0x97)
_CASCADE_TAG = const(0x88)
_SAK_CASCADE = const(0x04)

# TPrescaler 169 makes a tick of 25 us. Every answer of this phase starts 91 us after the
# question (ISO 14443-3, 6.2.1.1), so 1 ms is generous.
_PRESCALER = const(169)
_RELOAD = const(40)
_T_AUTO = const(0x80)
_ANTENNA_ON = const(0x03)

# Half of what the chip can: jumper wires are no printed circuit.
_BAUD = const(5000000)

# What an init writes; checked again by healthy(), because a brown-out resets the chip silently.
_SETTINGS = (
    (_T_MODE, _T_AUTO),
    (_T_PRESCALER, _PRESCALER),
    (_T_RELOAD_H, _RELOAD >> 8),
    (_T_RELOAD_L, _RELOAD & 0xFF),
    (_TX_ASK, 0x40),  # 100 % ASK, as 14443A wants
    (_MODE, 0x3D),  # CRC preset 0x6363
    (_RF_CFG, 0x70),  # receiver gain 48 dB
    (_COLL, 0x00),  # bits after a collision read as zero
)


class Mfrc522:
    # spi: a machine.SPI in mode 0, at most 10 MHz. select and reset: output Pins, active low;
    # reset may be None where it is tied high.
    def __init__(self, spi, select, reset=None):
        self.spi = spi
        self.select = select
        self.reset = reset
        self._selected = False
        self._out = bytearray(2)
        self._in = bytearray(2)
        # SEL, NVB, four bytes of UID, BCC, CRC_A; the byte before it addresses the FIFO.
        self._burst = bytearray(10)
        self._frame = memoryview(self._burst)[1:]
        self._sink = bytearray(10)
        select(1)

    async def start(self):
        # Resets and configures the chip; raises ReaderError.
        if self.reset:
            self.reset(0)
            await asyncio.sleep_ms(1)
            self.reset(1)
            await asyncio.sleep_ms(50)  # oscillator start-up, data sheet 8.8.2
        self._selected = False
        self._write(_COMMAND, _SOFT_RESET)
        for _ in range(50):
            await asyncio.sleep_ms(1)
            if not self._read(_COMMAND) & _POWER_DOWN:
                break
        for register, value in _SETTINGS:
            self._write(register, value)
        self._write(_TX_CONTROL, self._read(_TX_CONTROL) | _ANTENNA_ON)
        if not self.healthy():
            raise ReaderError("no MFRC522: version " + hex(self.version()))

    def version(self):
        # 0x91 and 0x92 are NXP's, 0x88, 0x90, 0xB2 and 0x12 clones that work.
        return self._read(_VERSION)

    def healthy(self):
        # True if the chip is there and still holds what start() wrote. A missing chip reads as
        # all zeros or all ones.
        return self.version() not in (0x00, 0xFF) and self._antenna() and self._configured()

    def health(self):
        # For the doctor: what the chip says of itself. antenna: its two drivers are switched on;
        # a broken coil cannot be seen from here.
        return {
            "chip": "mfrc522",
            "version": self.version(),
            "antenna": self._antenna(),
            "configured": self._configured(),
        }

    def _antenna(self):
        return self._read(_TX_CONTROL) & _ANTENNA_ON == _ANTENNA_ON

    def _configured(self):
        # A brown-out resets the chip and tells nobody; the timer's settings are gone then.
        return self._read(_T_MODE) == _T_AUTO and self._read(_T_RELOAD_L) == _RELOAD & 0xFF

    async def poll(self):
        # The UID (4, 7 or 10 bytes) of a card in the field, None if there is none or it was not
        # read cleanly. Raises ReaderError. The card stays selected, and is halted by the next
        # poll: by then the door has been dealt with.
        if self._selected:
            await self._halt()
        self._frame[0] = _WUPA
        self._start(1, 7)
        ended = self._read(_COM_IRQ) & _ENDED
        for _ in range(20):
            if ended:
                break
            await asyncio.sleep_ms(1)
            ended = self._read(_COM_IRQ) & _ENDED
        if not ended:
            raise ReaderError("the chip's timer does not run")
        # Two unlike cards collide in their answers to WUPA already; anticollision sorts them out.
        if not ended & _RX_IRQ or self._read(_ERROR) & _BROKEN:
            return None
        return self._uid()

    async def _halt(self):
        # HLTA has no answer; without it the next WUPA would only bring the card back to idle.
        self._selected = False
        self._frame[0] = _HLTA
        self._frame[1] = 0
        self._append_crc(2)
        self._start(4, 0)
        await asyncio.sleep_ms(2)

    def _uid(self):
        uid = b""
        for select in _SELECT:
            part = self._frame[2:6]
            if not self._resolve(select):
                return None
            sak = self._choose()
            if sak < 0:
                return None
            if not sak & _SAK_CASCADE:
                self._selected = True
                return uid + bytes(part)
            if part[0] != _CASCADE_TAG:
                return None
            uid += bytes(part[1:])
        return None

    def _resolve(self, select):
        # Anticollision at one cascade level: leaves the four bytes and their BCC in the frame.
        # Where two cards differ, the one with a 1 in that place goes on.
        frame = self._frame
        frame[0] = select
        for index in range(2, 7):
            frame[index] = 0
        known = 0
        while known < 32:
            whole, rest = divmod(known, 8)
            frame[1] = (2 + whole) << 4 | rest
            sent = 2 + whole + (1 if rest else 0)
            error = self._exchange(sent, rest)
            if error & _BROKEN:
                return False
            self._receive(2 + whole, 5 - whole, rest)
            if not error & _COLLISION:
                return frame[2] ^ frame[3] ^ frame[4] ^ frame[5] == frame[6]
            collision = self._read(_COLL)
            # Counted from the start of the first byte received, 0 for 32 (data sheet 9.3.1.15).
            place = (collision & 0x1F or 32) + 8 * whole
            if collision & 0x20 or not known < place <= 32:
                return False
            known = place
            frame[1 + (known + 7) // 8] |= 1 << (known - 1) % 8
        frame[6] = frame[2] ^ frame[3] ^ frame[4] ^ frame[5]
        return True

    def _choose(self):
        # SELECT of the resolved level: the SAK, or -1.
        self._frame[1] = 0x70
        self._append_crc(7)
        if self._exchange(9, 0) & (_BROKEN | _COLLISION) or self._read(_FIFO_LEVEL) != 3:
            return -1
        sak = self._read(_FIFO_DATA)
        self._out[0] = sak
        crc = crc_a(self._out, 1)
        if self._read(_FIFO_DATA) != crc & 0xFF or self._read(_FIFO_DATA) != crc >> 8:
            return -1
        return sak

    def _receive(self, at, count, align):
        # Moves the FIFO to the frame. With align, the low bits of the first byte are our own.
        for index in range(at, at + min(count, self._read(_FIFO_LEVEL))):
            value = self._read(_FIFO_DATA)
            if align:
                mask = (1 << align) - 1
                value = value & ~mask | self._frame[index] & mask
                align = 0
            self._frame[index] = value

    def _append_crc(self, size):
        crc = crc_a(self._frame, size)
        self._frame[size] = crc & 0xFF
        self._frame[size + 1] = crc >> 8

    def _exchange(self, size, bits):
        # Sends size bytes of the frame, the last of them with that many bits (0: all), and waits
        # for the answer, which starts at the same bit. Returns ErrorReg; silence counts as broken.
        self._start(size, bits)
        for _ in range(60):
            ended = self._read(_COM_IRQ) & _ENDED
            if ended:
                return self._read(_ERROR) if ended & _RX_IRQ else _BROKEN
            sleep_us(50)
        raise ReaderError("the chip's timer does not run")

    def _start(self, size, bits):
        self._write(_COMMAND, _IDLE)
        self._write(_COM_IRQ, 0x7F)
        self._write(_FIFO_LEVEL, 0x80)
        self._burst[0] = _FIFO_DATA << 1
        self.select(0)
        self.spi.write_readinto(
            memoryview(self._burst)[: size + 1], memoryview(self._sink)[: size + 1]
        )
        self.select(1)
        self._write(_COMMAND, _TRANSCEIVE)
        # WUPA is seven bits, and its answer is aligned all the same.
        align = 0 if bits == 7 and size == 1 else bits
        self._write(_BIT_FRAMING, 0x80 | align << 4 | bits)

    def _read(self, register):
        self._out[0] = 0x80 | register << 1
        self._out[1] = 0
        self.select(0)
        self.spi.write_readinto(self._out, self._in)
        self.select(1)
        return self._in[1]

    def _write(self, register, value):
        self._out[0] = register << 1
        self._out[1] = value
        self.select(0)
        self.spi.write_readinto(self._out, self._in)
        self.select(1)


def make(settings):
    # settings: spi, sck, mosi, miso, cs, and rst unless the chip's reset is tied high.
    from machine import SPI, Pin

    reset = settings.get("rst")
    spi = SPI(
        settings["spi"],
        baudrate=_BAUD,
        polarity=0,
        phase=0,
        sck=Pin(settings["sck"]),
        mosi=Pin(settings["mosi"]),
        miso=Pin(settings["miso"]),
    )
    return Mfrc522(
        spi,
        Pin(settings["cs"], Pin.OUT, value=1),
        None if reset is None else Pin(reset, Pin.OUT, value=1),
    )


def crc_a(data, size):
    # CRC_A of the first size bytes (ISO/IEC 14443-3, annex B). In software: the chip's own
    # coprocessor would cost more SPI traffic than it saves.
    crc = 0x6363
    for index in range(size):
        byte = data[index] ^ crc & 0xFF
        byte = (byte ^ byte << 4) & 0xFF
        crc = crc >> 8 ^ byte << 8 ^ byte << 3 ^ byte >> 4
    return crc
