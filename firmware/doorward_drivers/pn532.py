# NXP PN532 over SPI or I2C: finds an ISO 14443A card by itself, says so on its IRQ line, and carries
# what is said to cards that compute.
#
# Frames and commands: PN532 user manual UM0701-02, sections 6.2 and 7. The chip looks for a card
# until there is one, so an empty field costs no traffic; where IRQ is not wired it is asked for its
# status. Nothing here waits longer than one frame takes on the wire: 2 ms on I2C, but for
# transceive().

import asyncio
from time import ticks_ms

from doorward_core.compat import const, ticks_diff
from doorward_drivers import ReaderError

_ACK = b"\x00\x00\xff\x00\xff\x00"
_NACK = b"\x00\x00\xff\xff\x00\x00"
_TO_CHIP = const(0xD4)
_TO_HOST = const(0xD5)

_GET_FIRMWARE_VERSION = const(0x02)
_SAM_CONFIGURATION = const(0x14)
_RF_CONFIGURATION = const(0x32)
_IN_DATA_EXCHANGE = const(0x40)
_IN_LIST_PASSIVE_TARGET = const(0x4A)

# As a card reader, no time limit of its own, IRQ in use; without this a chip that has just got
# power stays in its low battery mode.
_NORMAL = b"\x01\x00\x01"
# MaxRetries: of the passive activation none ends the search.
_FOR_EVER = b"\x05\xff\x01\xff"
_ONE_TYPE_A = b"\x01\x00"

# The chip acknowledges within 15 ms and does what we ask within a few.
_ACK_MS = const(100)
_ANSWER_MS = const(200)
# A card that computes may take its time (FWT of ISO 14443-4 is up to 4.9 s, NTAG 424 needs 0.1).
_EXCHANGE_MS = const(1000)
# One poll looks so often, so far apart; the reader's watch adds its own pace.
_LOOKS = const(8)
_LOOK_MS = const(5)
# A chip that has found nothing for so long is asked whether it is still there.
_SILENCE_MS = const(1000)

# One card's answer with 10 bytes of UID and an ATS of 40; the byte before a frame is the bus's.
_BUFFER = const(80)
_LARGEST = const(264)
_MOST_DATA = const(252)


class Pn532:
    # bus: pn532_spi.Spi or pn532_i2c.I2c. irq: an input, low while a frame waits, or None. reset: an
    # output, active low, or None where it is tied high.
    def __init__(self, bus, irq=None, reset=None):
        self._bus = bus
        self._irq = irq
        self._reset = reset
        self._buffer = bytearray(_BUFFER)
        self._armed = self._selected = False
        self._spoke = 0
        self._version = 0
        self.errors = 0  # frames that arrived spoilt
        self.timeouts = 0  # answers that did not come

    async def start(self):
        # Resets and configures the chip; raises ReaderError.
        self._armed = self._selected = False
        self._version = 0
        if self._reset:
            self._reset(0)
            await asyncio.sleep_ms(1)
            self._reset(1)
            await asyncio.sleep_ms(10)
        await self._bus.wake()
        self._bus.write(_ACK)  # ends whatever it was at
        self._version = (await self._ask(_GET_FIRMWARE_VERSION, b"", least=4))[0]
        await self._ask(_SAM_CONFIGURATION, _NORMAL)
        await self._ask(_RF_CONFIGURATION, _FOR_EVER)

    def version(self):
        # 0x32 is the PN532; 0 before it has answered.
        return self._version

    def healthy(self):
        # poll() finds out by itself.
        return self._version != 0

    def health(self):
        # For the doctor: what the chip has said of itself.
        return {
            "chip": "pn532",
            "version": self._version,
            "errors": self.errors,
            "timeouts": self.timeouts,
        }

    async def poll(self):
        # The UID (4, 7 or 10 bytes) of a card in the field, None if there is none. Raises
        # ReaderError. The card stays selected for transceive() until the next poll.
        if not self._armed:
            self._selected = False
            await self._order(_IN_LIST_PASSIVE_TARGET, _ONE_TYPE_A)
            self._armed = True
        for _ in range(_LOOKS):
            if self._ready():
                self._armed = False
                return self._uid(await self._answer(_IN_LIST_PASSIVE_TARGET))
            await asyncio.sleep_ms(_LOOK_MS)
        if ticks_diff(ticks_ms(), self._spoke) > _SILENCE_MS:
            # Ends the search; after a brown-out the next one is refused, and it is started again.
            self._armed = False
            self._bus.write(_ACK)
            await self._ask(_GET_FIRMWARE_VERSION, b"")
        return None

    async def transceive(self, apdu):
        # What the card that poll() has found answers to these bytes (ISO 14443-4, or a command of
        # NTAG); None if it has left. Between two polls, from the task that polls. Raises
        # ValueError for more than 252 bytes, and ReaderError.
        if len(apdu) > _MOST_DATA:
            raise ValueError("apdu: need 252 bytes or less")
        if not self._selected:
            return None
        if len(self._buffer) < _LARGEST:
            self._buffer = bytearray(_LARGEST)
        answer = await self._ask(_IN_DATA_EXCHANGE, b"\x01" + apdu, _EXCHANGE_MS, 1)
        if answer[0] & 0x3F:
            self._selected = False
            return None
        return bytes(answer[1:])

    def _uid(self, answer):
        # NbTg, Tg, SENS_RES, SEL_RES, NFCIDLength, NFCID (7.3.5).
        if len(answer) < 6:
            return None
        size = answer[5]
        if size not in (4, 7, 10) or len(answer) < 6 + size:
            return None
        self._selected = True
        return bytes(answer[6 : 6 + size])

    # --- frames

    async def _ask(self, code, data, wait_ms=_ANSWER_MS, least=0):
        # The answer's data, in the buffer; least is how many bytes it must have.
        await self._order(code, data)
        answer = await self._answer(code, wait_ms)
        if len(answer) < least:
            raise ReaderError("an answer of " + str(len(answer)) + " bytes")
        return answer

    async def _order(self, code, data):
        # Sends a command and reads its acknowledgement; once more when that came spoilt.
        size = len(data) + 2
        body = bytes((_TO_CHIP, code)) + data
        head = bytes((0, 0, 0xFF, size, -size & 0xFF))
        frame = head + body + bytes((-sum(body) & 0xFF, 0))
        for _ in range(2):
            self._bus.write(frame)
            await self._wait(_ACK_MS)
            if self._read(len(_ACK)) == _ACK:
                self._spoke = ticks_ms()
                return
            self.errors += 1
        raise ReaderError("no PN532: it does not acknowledge")

    async def _answer(self, code, wait_ms=_ANSWER_MS):
        await self._wait(wait_ms)
        answer = self._parsed(code)
        if answer is None:
            self.errors += 1
            self._bus.write(_NACK)
            await self._wait(_ANSWER_MS)
            answer = self._parsed(code)
            if answer is None:
                self.errors += 1
                raise ReaderError("spoilt frames")
        self._spoke = ticks_ms()
        return answer

    def _parsed(self, code):
        # The data of the frame that waits; None if it is spoilt (6.2.1.1). Raises ReaderError for
        # an error frame.
        frame = self._read(len(self._buffer) - 1)
        size = frame[3]
        end = 5 + size
        if bytes(frame[:3]) != b"\x00\x00\xff" or size + frame[4] & 0xFF or end >= len(frame):
            return None
        if sum(frame[5 : end + 1]) & 0xFF:
            return None
        if frame[5] != _TO_HOST or frame[6] != code + 1:
            raise ReaderError("the chip refuses command " + hex(code))
        return frame[7:end]

    def _read(self, size):
        # So much of the frame that waits, in the buffer.
        whole = memoryview(self._buffer)[: size + 1]
        self._bus.read(whole)
        return whole[1:]

    def _ready(self):
        return not self._irq() if self._irq else self._bus.ready()

    async def _wait(self, ms):
        await asyncio.sleep_ms(0)  # others have their turn between two frames, however quick it is
        for _ in range(ms):
            if self._ready():
                return
            await asyncio.sleep_ms(1)
        self.timeouts += 1
        raise ReaderError("the chip does not answer")


def make(settings):
    # settings: bus, "spi" or "i2c", with what its own file needs; irq and rst where they are wired.
    import doorward_drivers
    from machine import Pin

    irq = settings.get("irq")
    reset = settings.get("rst")
    return Pn532(
        doorward_drivers.make("pn532_" + settings["bus"], settings),
        None if irq is None else Pin(irq, Pin.IN, Pin.PULL_UP),
        None if reset is None else Pin(reset, Pin.OUT, value=1),
    )
