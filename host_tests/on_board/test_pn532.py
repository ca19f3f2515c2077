# The PN532 driver on the lab's bus, with the lab's own chip behind it, frame by frame.

import asyncio
import sys
from time import ticks_diff, ticks_us

import lab_by_hand

import machine
from doorward_drivers import ReaderError, pn532
from doorward_node.reader import ReaderWatch
from lab_parts import link
from lab_parts.pn532 import PN532

sys.path.append(lab_by_hand.LAB + "/doorward_lab")
chips = __import__("pn532")
sys.path.pop()

UIDS = ("a1b2c3d4", "04a1b2c3d4e5f6", "04112233445566778899", "08000000")
SPI = {"bus": "spi", "spi": 2, "sck": 18, "mosi": 23, "miso": 19, "cs": 5}
I2C = {"bus": "i2c", "i2c": 0, "sda": 21, "scl": 22}
# Every way to wire it.
WIRINGS = (SPI, I2C, dict(SPI, irq=4), dict(I2C, irq=4), dict(SPI, irq=4, rst=27))


class Bench:
    # The chip in the lab at one end of the wire, the driver at the other.
    def __init__(self, wiring):
        lab_by_hand.power_up()
        machine.buses.clear()
        self.bus = PN532(wiring.get("irq"))
        machine.buses[wiring.get("spi", "i2c0")] = self.bus
        if "cs" in wiring:
            machine.parts[wiring["cs"]] = self.bus.select
        if "rst" in wiring:
            machine.parts[wiring["rst"]] = self.bus.hard_reset
        self.written = []
        self.chip = chips.Pn532(self._ready)
        link._file = self
        self.driver = pn532.make(wiring)
        # make() drives the reset pin; what came of it is no part of a test.
        del self.written[:]

    def _ready(self, frame, fresh):
        self.bus.told([b"pn532", frame.hex().encode(), b"1" if fresh else b"0"])

    # --- the wire's end in the lab, as link.py uses a file

    def readinto(self, _buffer):
        return None

    def write(self, line):
        words = line.split()
        if words[0] == b"pn532" and words[1] == b"reset":
            self.chip.power_on()
        elif words[0] == b"pn532":
            frame = bytes.fromhex(words[1].decode())
            self.written.append(frame)
            self.chip.take(frame)
        return len(line)

    def put(self, uid, sak=8, apdu=None):
        self.chip.card(bytes.fromhex(uid), sak, apdu)

    async def uid(self):
        # Of the next poll that finds one, in five.
        for _ in range(5):
            uid = await self.driver.poll()
            if uid is not None:
                return uid.hex()
        return None


async def fails(waiting):
    try:
        await waiting
    except ReaderError as error:
        return str(error)
    raise AssertionError("it did not fail")


async def test_reads_uids_of_4_7_and_10_bytes_however_it_is_wired():
    for wiring in WIRINGS:
        bench = Bench(wiring)
        await bench.driver.start()
        assert await bench.driver.poll() is None
        for uid in UIDS:
            bench.put(uid)
            for _ in range(3):  # it stays readable while it stays
                assert await bench.uid() == uid, (wiring, uid)
            bench.chip.no_card()
            assert await bench.driver.poll() is None
        assert bench.driver.version() == 0x32
        assert (bench.driver.errors, bench.driver.timeouts) == (0, 0), wiring


async def test_what_goes_over_the_wire_is_what_the_manual_says():
    bench = Bench(dict(I2C, irq=4))
    await bench.driver.start()
    await bench.driver.poll()
    assert [frame.hex() for frame in bench.written] == [
        "0000ff00ff00",
        "0000ff02fed4022a00",
        "0000ff05fbd4140100011600",
        "0000ff06fad43205ff01fff600",
        "0000ff04fcd44a0100e100",
    ]


async def test_an_empty_field_costs_no_frames():
    for wiring in WIRINGS:
        bench = Bench(wiring)
        await bench.driver.start()
        await bench.driver.poll()
        before = len(bench.written)
        for _ in range(4):
            assert await bench.driver.poll() is None
        assert len(bench.written) == before


async def test_with_irq_an_empty_field_costs_no_byte_on_the_bus():
    bench = Bench(dict(SPI, irq=4))
    await bench.driver.start()
    await bench.driver.poll()
    moved = []
    transfer = bench.bus.transfer
    bench.bus.transfer = lambda out, into: (moved.append(len(out)), transfer(out, into))
    for _ in range(4):
        await bench.driver.poll()
    assert moved == []
    bench.put(UIDS[0])
    assert await bench.uid() == UIDS[0]
    assert moved


async def test_other_tasks_run_between_one_frame_and_the_next():
    # What the driver moves over the bus without a pause, worked out as time on the wire: a clock on
    # the wall would measure this machine.
    for wiring, us_a_byte in ((SPI, 8), (dict(SPI, irq=4), 8), (I2C, 23), (dict(I2C, irq=4), 23)):
        bench = Bench(wiring)
        moved = [0, 0]
        bus = bench.driver._bus

        def counted(move, moved=moved):
            def count(data):
                moved[0] += len(data)
                moved[1] = max(moved)
                move(data)

            return count

        bus.read, bus.write = counted(bus.read), counted(bus.write)

        async def heartbeat(moved=moved):
            while True:
                moved[0] = 0
                await asyncio.sleep_ms(0)

        beat = asyncio.create_task(heartbeat())
        await asyncio.sleep_ms(1)
        await bench.driver.start()
        for _ in range(3):
            await bench.driver.poll()
        bench.put(UIDS[1])
        assert await bench.uid() == UIDS[1]
        beat.cancel()
        assert moved[1] > 50 and moved[1] * us_a_byte < 3000, (wiring, moved)


async def test_a_spoilt_answer_is_asked_for_again_and_counted():
    for wiring in WIRINGS:
        bench = Bench(wiring)
        await bench.driver.start()
        assert await bench.driver.poll() is None
        bench.chip.fault("noise")
        bench.put(UIDS[1])
        assert await bench.uid() == UIDS[1]
        assert bench.driver.errors == 1
        assert bytes.fromhex("0000ffff0000") in bench.written


async def test_a_spoilt_acknowledgement_is_repeated_and_counted():
    bench = Bench(SPI)
    await bench.driver.start()
    bench.put(UIDS[1])
    bench.chip.fault("noise")
    assert await bench.uid() == UIDS[1]
    assert bench.driver.errors == 1


async def test_nothing_but_noise_ends_in_an_error():
    bench = Bench(SPI)
    await bench.driver.start()
    assert await bench.driver.poll() is None
    for _ in range(2):
        bench.chip.fault("noise")
    bench.put(UIDS[1])
    await fails(bench.uid())
    await bench.driver.start()
    assert await bench.uid() == UIDS[1]


async def test_every_single_bit_of_a_frame_is_noticed():
    bench = Bench(I2C)
    await bench.driver.start()
    good = bytes.fromhex("0000ff06fad503320106 07e800".replace(" ", ""))
    frames = bench.bus._frames
    for place in range(8 * (len(good) - 1)):  # its postamble means nothing
        spoilt = bytearray(good)
        spoilt[place // 8] ^= 1 << place % 8
        del frames[:]
        frames.append(bytes(spoilt))
        try:
            answer = bench.driver._parsed(2)
        except ReaderError:
            answer = None
        assert answer is None, place
    frames.append(good)
    assert bytes(bench.driver._parsed(2)) == b"\x32\x01\x06\x07"


async def test_whatever_comes_over_the_bus_is_a_card_none_or_an_error():
    # A chip that talks nonsense must not stop the board: half of it has all sums right.
    seed = 532
    outcomes = set()

    def random(limit):
        nonlocal seed
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        return (seed >> 8) % limit

    def nonsense(code):
        if random(2):
            return bytes([random(256) for _ in range(random(90))])
        body = bytes((0xD5, code + 1)) + bytes([random(16) for _ in range(random(30))])
        size = len(body)
        head = bytes((0, 0, 0xFF, size, -size & 0xFF))
        return head + body + bytes((-sum(body) & 0xFF, 0))

    bench = Bench(I2C)
    driver = bench.driver
    for code in (0x02, 0x14, 0x32, 0x4A, 0x40) * 60:
        frames = bench.bus._frames

        def wrote(data, frames=frames, code=code):
            # Acknowledged as it should be, then nonsense, also when it is asked for again.
            del frames[:]
            if bytes(data) != b"\x00\x00\xff\xff\x00\x00":
                frames.append(b"\x00\x00\xff\x00\xff\x00")
            frames.append(nonsense(code))

        bench.bus.wrote = wrote
        driver._armed, driver._selected = False, True
        try:
            if code == 0x4A:
                uid = await driver.poll()
                assert uid is None or len(uid) in (4, 7, 10), uid
                outcomes.add("none" if uid is None else "card")
            elif code == 0x40:
                answer = await driver.transceive(b"\x90")
                outcomes.add("silence" if answer is None else "answer")
            else:
                await driver.start()
        except ReaderError:
            outcomes.add("error")
    assert outcomes >= {"none", "silence", "answer", "error"}, outcomes


async def test_a_missing_chip_is_noticed():
    for wiring in WIRINGS:
        bench = Bench(wiring)
        bench.bus.told([b"reader", b"dead"])
        await fails(bench.driver.start())
        assert not bench.driver.healthy()
        assert bench.driver.health()["version"] == 0
        # Silence, and no spoilt frames: a bus that floats high is not taken for one that is ready.
        assert bench.driver.errors == 0


async def test_a_cable_that_comes_off_is_noticed_within_two_seconds_and_comes_back():
    for wiring in (SPI, dict(I2C, irq=4)):
        bench = Bench(wiring)
        await bench.driver.start()
        await bench.driver.poll()
        bench.bus.told([b"reader", b"dead"])
        started = ticks_us()
        try:
            while ticks_diff(ticks_us(), started) < 4000000:
                await bench.driver.poll()
            raise AssertionError("it went unnoticed")
        except ReaderError:
            assert ticks_diff(ticks_us(), started) < 2000000
        bench.bus.told([b"reader", b"ok"])
        bench.put(UIDS[1])
        await bench.driver.start()
        assert await bench.uid() == UIDS[1]


async def test_a_brown_out_is_noticed_and_comes_back():
    bench = Bench(SPI)
    await bench.driver.start()
    await bench.driver.poll()
    bench.chip.fault("brownout")
    bench.put(UIDS[1])
    try:
        for _ in range(60):
            assert await bench.driver.poll() is None
        raise AssertionError("it went unnoticed")
    except ReaderError as error:
        assert "refuses" in str(error)
    await bench.driver.start()
    assert await bench.uid() == UIDS[1]


async def test_a_frozen_chip_is_brought_back_by_its_watch_and_counted():
    bench = Bench(dict(SPI, irq=4, rst=27))
    cards, resets = [], []
    watch = ReaderWatch(bench.driver, 25, cards.append, resets.append)
    running = asyncio.create_task(watch.run())
    await asyncio.sleep_ms(200)
    bench.chip.fault("frozen")
    await asyncio.sleep_ms(2200)
    bench.put(UIDS[1])
    await asyncio.sleep_ms(300)
    running.cancel()
    assert [uid.hex() for uid in cards] == [UIDS[1]]
    assert resets == [1], resets
    assert bench.driver.timeouts >= 1


async def test_a_card_that_stays_is_told_once_and_again_when_it_comes_back():
    bench = Bench(dict(SPI, irq=4))
    cards = []
    watch = ReaderWatch(bench.driver, 25, cards.append, None)
    running = asyncio.create_task(watch.run())
    await asyncio.sleep_ms(100)
    for uid in (UIDS[1], UIDS[0], UIDS[1]):
        bench.put(uid)
        await asyncio.sleep_ms(250)
        bench.chip.no_card()
        await asyncio.sleep_ms(250)
    running.cancel()
    assert [uid.hex() for uid in cards] == [UIDS[1], UIDS[0], UIDS[1]]


async def test_a_card_that_computes_is_spoken_to():
    bench = Bench(I2C)
    heard = []

    def card(apdu):
        heard.append(bytes(apdu))
        return bytes(reversed(apdu)) + b"\x91\x00"

    await bench.driver.start()
    assert await bench.driver.transceive(b"\x90\x60") is None, "no card yet"
    bench.put(UIDS[1], 0x20, card)
    assert await bench.uid() == UIDS[1]
    for apdu in (b"\x90\x60\x00\x00\x00", bytes(range(200)), bytes(240)):
        assert await bench.driver.transceive(apdu) == bytes(reversed(apdu)) + b"\x91\x00"
    assert len(heard) == 3
    try:
        await bench.driver.transceive(bytes(253))
        raise AssertionError("it was sent")
    except ValueError as error:
        assert "252" in str(error)
    bench.chip.no_card()
    assert await bench.driver.transceive(b"\x90\x60") is None
    assert await bench.driver.transceive(b"\x90\x60") is None
    assert await bench.driver.poll() is None


async def test_what_is_no_uid_is_no_card():
    bench = Bench(SPI)
    for size in (0, 3, 5, 11):
        assert bench.driver._uid(b"\x01\x01\x00\x04\x08" + bytes((size,)) + bytes(12)) is None
    assert bench.driver._uid(b"\x00") is None


async def test_the_doctor_hears_what_went_wrong():
    bench = Bench(SPI)
    await bench.driver.start()
    good = {"chip": "pn532", "version": 0x32, "errors": 0, "timeouts": 0}
    assert bench.driver.health() == good


async def test_a_reader_that_sends_its_high_bit_first_is_not_understood():
    # Positive control for the order of bits on SPI.
    bench = Bench(SPI)
    bench.bus.firstbit = 0
    await fails(bench.driver.start())
