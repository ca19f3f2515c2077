# check_mfrc522.py  The register-level reader against exchanges written down from ISO/IEC 14443-3 and the datasheet.
#
# Runs on MicroPython, on the shim's own modules: test_chip.py starts one process per function.
from time import sleep_ms

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
    assert read(0x05) & CRC_DONE
    result = bytes((read(0x22), read(0x21)))
    write(0x01, 0x00)
    return result


def select(level, uid_and_bcc):
    frame = bytes((0x93 + 2 * level, 0x70)) + uid_and_bcc
    return send(frame + crc(frame))


def halt():
    return send(b"\x50\x00\x57\xcd")


def test_tells_its_version_and_reset_values():
    assert read(0x37) == 0x92
    assert read(0x01) == 0x20
    assert read(0x14) == 0x80
    assert read(0x11) == 0x3F


def test_fifo_keeps_order_and_level_and_can_be_flushed():
    write(0x09, 1, 2, 3)
    assert read(0x0A) == 3
    assert read(0x09) == 1
    assert read(0x09, 2) == b"\x02\x03"
    assert read(0x0A) == 0
    write(0x09, 1)
    write(0x0A, 0x80)
    assert read(0x0A) == 0


def test_fifo_overflow_is_an_error_and_keeps_what_it_has():
    write(0x09, *range(64))
    assert read(0x06) == 0
    write(0x09, 99)
    assert read(0x06) & 0x10
    assert read(0x04) & ERR
    assert read(0x09, 64) == bytes(range(64))


def test_irq_bits_are_cleared_by_marking_them_and_set_with_the_top_bit():
    write(0x04, 0x7F)
    assert read(0x04) == 0
    write(0x04, 0x80 | 0x21)
    assert read(0x04) == 0x21
    write(0x04, 0x20)
    assert read(0x04) == 0x01
    write(0x05, 0x84)
    assert read(0x05) == 0x04


def test_crc_coprocessor_matches_annex_b():
    set_up()
    assert crc(b"\x00\x00") == b"\xa0\x1e"
    assert crc(b"\x12\x34") == b"\x26\xcf"
    assert crc(b"\x50\x00") == b"\x57\xcd"


def test_crc_goes_on_over_octets_written_while_it_runs():
    set_up()
    write(0x01, 0x03)
    write(0x09, 0x12)
    write(0x09, 0x34)
    assert (read(0x22), read(0x21)) == (0x26, 0xCF)


def test_crc_after_reset_starts_from_the_preset_of_the_mode_register():
    assert crc(b"\x50\x00") != b"\x57\xcd"  # 0xFFFF, the reset value


def test_silence_ends_with_the_timer_after_its_time():
    from time import ticks_diff, ticks_us

    set_up()
    before = ticks_us()
    assert send(WUPA, 7) is None
    assert 5000 <= ticks_diff(ticks_us(), before) < 50000
    assert read(0x04) & (RX | TX | TIMER) == TX | TIMER


def test_a_card_stops_the_timer():
    set_up()
    lab("card " + UID4 + " 8 0")
    assert send(WUPA, 7) == b"\x04\x00"
    sleep_ms(10)
    assert not read(0x04) & TIMER


def test_without_antenna_or_modulation_nobody_hears():
    set_up()
    lab("card " + UID4 + " 8 0")
    write(0x14, 0x80)
    assert send(WUPA, 7) is None
    write(0x14, 0x83)
    write(0x15, 0x00)
    assert send(WUPA, 7) is None
    write(0x15, 0x40)
    assert send(WUPA, 7) is not None


def test_short_frame_has_seven_bits():
    set_up()
    lab("card " + UID4 + " 8 0")
    assert send(WUPA, 0) is None


def test_request_toggles_ready_and_idle():
    set_up()
    lab("card " + UID4 + " 8 0")
    assert send(REQA, 7) == b"\x04\x00"
    assert send(REQA, 7) is None
    assert send(REQA, 7) == b"\x04\x00"


def test_four_byte_uid():
    set_up()
    lab("card " + UID4 + " 8 0")
    assert send(REQA, 7) == b"\x04\x00"
    answer = send(b"\x93\x20")
    assert answer == bytes.fromhex(UID4) + b"\xd4"  # 04 ^ a1 ^ b2 ^ c3
    sak = select(0, answer)
    assert sak == b"\x08" + crc(b"\x08")
    assert halt() is None
    assert send(REQA, 7) is None
    assert send(WUPA, 7) == b"\x04\x00"


def test_seven_byte_uid_takes_two_levels():
    set_up()
    lab("card " + UID7 + " 0 0")
    assert send(REQA, 7) == b"\x44\x00"
    first = send(b"\x93\x20")
    assert first == b"\x88\x04\x11\x22" + bytes((0x88 ^ 0x04 ^ 0x11 ^ 0x22,))
    assert select(0, first)[0] == 0x04
    second = send(b"\x95\x20")
    assert second == b"\x33\x44\x55\x66" + bytes((0x33 ^ 0x44 ^ 0x55 ^ 0x66,))
    assert select(1, second)[0] == 0x00


def test_ten_byte_uid_takes_three_levels():
    set_up()
    lab("card " + UID10 + " 32 0")
    assert send(REQA, 7) == b"\x84\x00"
    uid = b""
    for level in range(3):
        part = send(bytes((0x93 + 2 * level, 0x20)))
        assert (part[0] == 0x88) == (level < 2)
        uid += part[1:4] if level < 2 else part[:4]
        sak = select(level, part)
        assert sak[0] == (0x04 if level < 2 else 0x20)
    assert uid == bytes.fromhex(UID10)


def test_levels_cannot_be_skipped():
    set_up()
    lab("card " + UID7 + " 0 0")
    send(REQA, 7)
    assert send(b"\x95\x20") is None


def test_select_needs_the_right_uid_and_check():
    set_up()
    lab("card " + UID4 + " 8 0")
    send(WUPA, 7)
    own = send(b"\x93\x20")
    assert send(b"\x93\x70" + own + b"\x00\x00") is None
    send(WUPA, 7)
    assert select(0, b"\x04\xa1\xb2\xc4" + own[4:]) is None
    send(WUPA, 7)
    assert select(0, own) is not None


def test_a_spoilt_check_byte_reaches_the_reader():
    set_up()
    lab("card " + UID4 + " 8 1")
    send(WUPA, 7)
    assert send(b"\x93\x20") == bytes.fromhex(UID4) + b"\xd5"


def test_field_off_makes_a_halted_card_forget():
    set_up()
    lab("card " + UID4 + " 8 0")
    send(WUPA, 7)
    select(0, send(b"\x93\x20"))
    halt()
    assert send(REQA, 7) is None
    write(0x14, 0x80)
    write(0x14, 0x83)
    assert send(REQA, 7) is not None


def test_chip_adds_and_checks_crc_itself():
    set_up()
    lab("card " + UID4 + " 8 0")
    send(WUPA, 7)
    own = send(b"\x93\x20")
    write(0x12, 0x80)
    write(0x13, 0x80)
    assert send(b"\x93\x70" + own) == b"\x08"
    assert not read(0x06) & 0x04
    # ATQA carries no CRC: with the check on, it is an error.
    write(0x12, 0x00)
    halt()
    send(WUPA, 7)
    assert read(0x06) & 0x04


def test_two_cards_collide_at_their_first_different_bit():
    set_up()
    lab("card 04a1b2c3 8 0")
    lab("card 04a1b6c3 8 0")  # b2 and b6 differ in bit 2 of the third octet: bit 19 of the frame
    assert send(WUPA, 7) == b"\x04\x00"  # equal answers do not collide
    assert not read(0x06) & 0x08
    answer = send(b"\x93\x20")
    assert read(0x06) & 0x08
    assert read(0x04) & ERR
    assert read(0x0E) == 19
    assert answer == b"\x04\xa1\x02\x00\x00"  # ValuesAfterColl 0: what follows is cleared


def test_values_after_a_collision_can_be_kept():
    set_up()
    write(0x0E, 0x80)
    lab("card 04a1b2c3 8 0")
    lab("card 04a1b6c3 8 0")
    send(WUPA, 7)
    assert send(b"\x93\x20")[:4] == b"\x04\xa1\xb6\xc3"


def test_bitwise_anticollision_finds_either_card():
    for bit, found in ((0, b"\x04\xa1\xb2\xc3"), (1, b"\x04\xa1\xb6\xc3")):
        set_up()
        lab("nocard")
        lab("card 04a1b2c3 8 0")
        lab("card 04a1b6c3 8 0")
        send(WUPA, 7)
        known = bytearray(send(b"\x93\x20")[:3])
        place = read(0x0E) & 0x1F  # from 1
        assert place == 19
        known[2] |= bit << 2
        rest = send(b"\x93\x43" + bytes(known), place % 8, place % 8)
        assert not read(0x06) & 0x08
        whole = bytes(known[:2]) + bytes((rest[0] | known[2],)) + rest[1:]
        assert whole[:4] == found
        assert select(0, whole)[0] == 0x08


def test_collision_in_bit_32_reads_as_zero():
    set_up()
    lab("card 04a1b203 8 0")
    lab("card 04a1b283 8 0")
    send(WUPA, 7)
    send(b"\x93\x20")
    assert read(0x0E) == 0


def test_uid_sizes_collide_in_the_answer_to_request():
    set_up()
    lab("card " + UID4 + " 8 0")
    lab("card " + UID7 + " 0 0")
    send(WUPA, 7)
    assert read(0x06) & 0x08


def test_reset_pin_holds_and_resets():
    set_up()
    chip.hard_reset(0)
    assert read(0x37) == 0
    chip.hard_reset(1)
    assert read(0x37) == 0x92
    assert read(0x14) == 0x80


def test_unselected_chip_is_silent():
    into = bytearray(2)
    chip.transfer(bytes((0x80 | 0x37 << 1, 0)), into)
    assert into == b"\x00\x00"


def test_dead_reader_answers_nothing_until_repaired():
    set_up()
    lab("reader dead")
    assert read(0x37) == 0
    lab("reader ok")
    assert read(0x37) == 0x92


def test_frozen_reader_keeps_registers_but_does_nothing_until_reset():
    set_up()
    lab("card " + UID4 + " 8 0")
    lab("reader frozen")
    assert read(0x37) == 0x92
    write(0x04, 0x7F)
    write(0x09, 0x52)
    write(0x01, 0x0C)
    write(0x0D, 0x87)
    sleep_ms(20)
    assert read(0x04) == 0
    set_up()
    assert send(WUPA, 7) is not None


def test_brown_out_turns_the_antenna_off():
    set_up()
    lab("card " + UID4 + " 8 0")
    lab("reader brownout")
    assert read(0x14) & 3 == 0
    set_up()
    assert send(WUPA, 7) is not None


def test_the_poll_that_saw_a_card_is_told_once_from_its_start():
    from time import ticks_us

    set_up()
    lab("card " + UID4 + " 8 0")
    sleep_ms(5)
    before = ticks_us()
    send(WUPA, 7)
    after = ticks_us()
    link.edge(25, 1)
    words = wire.said.split()
    assert words[:3] == [b"edge", b"25", b"1"]
    assert before <= int(words[3]) <= after
    send(WUPA, 7)
    link.edge(25, 0)
    assert wire.said.split()[-1] == b"0"
