# mfrc522_rig.py  A register-level reader, and what a driver writes and reads there. For the checks beside it.
from lab_parts import link
from lab_parts.mfrc522 import MFRC522

REQA, WUPA = b"\x26", b"\x52"
RX, TX, ERR, TIMER, CRC_DONE = 0x20, 0x40, 0x02, 0x01, 0x04
UID4 = "04a1b2c3"
UID7 = "04112233445566"
UID10 = "04010203040506070809"


class Wire:
    # The lab, silent.
    def __init__(self):
        self.said = b""

    def readinto(self, buffer):
        return None

    def write(self, data):
        self.said += data
        return len(data)


wire = Wire()
link._file = wire
chip = MFRC522()


def lab(line):
    words = line.encode().split()
    chip.told(words)


def write(register, *values):
    chip.select(0)
    chip.transfer(bytes((register << 1,) + values), None)  # noqa: RUF005 - no such display here
    chip.select(1)


def read(register, count=1):
    # A burst of reads of one register, each octet answering the address before it.
    out = bytes([0x80 | register << 1] * count + [0])
    into = bytearray(count + 1)
    chip.select(0)
    chip.transfer(out, into)
    chip.select(1)
    return into[1] if count == 1 else bytes(into[1:])


def set_up():
    # What a driver does: soft reset, timer 5 ms, 100 % ASK, CRC preset 0x6363, antenna on.
    write(0x01, 0x0F)
    write(0x2A, 0x80)
    write(0x2B, 0xA9)  # 169: 339 / 13.56 MHz = 25 us
    write(0x2C, 0x00)
    write(0x2D, 0xC7)  # 200 periods
    write(0x15, 0x40)
    write(0x11, 0x3D)
    write(0x0E, 0x00)
    write(0x14, 0x83)


def send(frame, bits=0, align=0):
    # Transceive; returns the answer or None for silence. bits: valid bits of the last octet, 0 = all.
    write(0x01, 0x00)
    write(0x04, 0x7F)
    write(0x0A, 0x80)
    write(0x09, *frame)
    write(0x01, 0x0C)
    write(0x0D, align << 4 | bits)
    write(0x0D, 0x80 | align << 4 | bits)
    while True:
        irq = read(0x04)
        if irq & RX:
            write(0x0D, 0)
            return read_fifo()
        if irq & TIMER:
            return None


def read_fifo():
    level = read(0x0A)
    return bytes([read(0x09)]) if level == 1 else read(0x09, level)


def crc(data):
    write(0x01, 0x00)
    write(0x05, 0x04)
    write(0x0A, 0x80)
    write(0x09, *data)
    write(0x01, 0x03)
    if not read(0x05) & CRC_DONE:
        raise OSError("the CRC was not made")
    result = bytes((read(0x22), read(0x21)))
    write(0x01, 0x00)
    return result


def select(level, uid_and_bcc):
    frame = bytes((0x93 + 2 * level, 0x70)) + uid_and_bcc
    return send(frame + crc(frame))


def halt():
    return send(b"\x50\x00\x57\xcd")
