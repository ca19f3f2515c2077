# The reader driver against the lab's chip, register by register.

from doorward_drivers import ReaderError
from doorward_drivers.mfrc522 import Mfrc522, crc_a
from lab_parts import link
from lab_parts.mfrc522 import MFRC522

UIDS = ("a1b2c3d4", "04a1b2c3d4e5f6", "04112233445566778899", "08000000", "04888888888888")


class NoLab:
    # The chip tells its lab what it sees; here nobody listens and nobody speaks.
    def readinto(self, _buffer):
        return None

    def write(self, data):
        return len(data)


link._file = NoLab()


class Bus:
    # What machine.SPI and the select pin are to the driver; counts what it costs.
    def __init__(self):
        self.chip = MFRC522()
        self.transfers = 0

    def write_readinto(self, out, into):
        self.transfers += 1
        self.chip.transfer(out, into)

    def select(self, level):
        self.chip.select(level)


def reader():
    bus = Bus()
    driver = Mfrc522(bus, bus.select, bus.chip.hard_reset)
    return bus, driver


def put(bus, uid, bcc_xor=0):
    bus.chip.told([b"card", uid.encode(), b"8", str(bcc_xor).encode()])


def lift(bus):
    bus.chip.told([b"nocard"])


async def test_reads_uids_of_4_7_and_10_bytes():
    bus, driver = reader()
    await driver.start()
    for uid in UIDS:
        put(bus, uid)
        for _ in range(3):  # it stays readable while it stays
            assert await driver.poll() == bytes.fromhex(uid), uid
        lift(bus)
        assert await driver.poll() is None


async def test_of_two_cards_one_is_read_whole():
    for first in UIDS:
        for second in UIDS:
            if first != second:
                bus, driver = reader()
                await driver.start()
                put(bus, first)
                put(bus, second)
                uid = await driver.poll()
                assert uid in (bytes.fromhex(first), bytes.fromhex(second)), (first, second, uid)


async def test_many_cards_that_differ_late():
    bus, driver = reader()
    await driver.start()
    cards = ["04a1b2c3d4e5%02x" % last for last in (0x00, 0x01, 0x7F, 0x80, 0xFE)]
    for card in cards:
        put(bus, card)
    assert (await driver.poll()).hex() in cards


async def test_a_wrong_check_byte_is_no_card():
    bus, driver = reader()
    await driver.start()
    put(bus, "a1b2c3d4", bcc_xor=1)
    assert await driver.poll() is None


async def test_an_empty_field_costs_few_transfers_and_no_heap():
    bus, driver = reader()
    await driver.start()
    await driver.poll()
    bus.transfers = 0
    assert await driver.poll() is None
    assert bus.transfers <= 20, bus.transfers


async def test_a_missing_chip_is_noticed():
    bus, driver = reader()
    bus.chip.told([b"reader", b"dead"])
    try:
        await driver.start()
        raise AssertionError("a dead chip was started")
    except ReaderError:
        pass


async def test_a_frozen_chip_is_noticed_and_comes_back():
    bus, driver = reader()
    await driver.start()
    put(bus, UIDS[1])
    bus.chip.told([b"reader", b"frozen"])
    try:
        await driver.poll()
        raise AssertionError("a frozen chip went unnoticed")
    except ReaderError:
        pass
    await driver.start()
    assert await driver.poll() == bytes.fromhex(UIDS[1])


async def test_a_brown_out_is_noticed():
    bus, driver = reader()
    await driver.start()
    assert driver.healthy()
    bus.chip.told([b"reader", b"brownout"])
    assert not driver.healthy()


async def test_the_doctor_hears_of_version_antenna_and_settings():
    bus, driver = reader()
    await driver.start()
    good = {"chip": "mfrc522", "version": 0x92, "antenna": True, "configured": True}
    assert driver.health() == good
    bus.chip.told([b"reader", b"brownout"])
    lost = driver.health()
    assert lost["version"] == 0x92 and not lost["antenna"] and not lost["configured"], lost
    bus.chip.told([b"reader", b"dead"])
    assert driver.health()["version"] == 0


def test_crc_a():
    # ISO/IEC 14443-3, annex B: two examples.
    assert crc_a(b"\x00\x00", 2) == 0x1EA0
    assert crc_a(b"\x12\x34", 2) == 0xCF26
