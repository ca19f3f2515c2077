# check_mfrc522_cards.py  Cards in the field, against exchanges written down from ISO/IEC 14443-3.
#
# Runs on MicroPython, on the shim's own modules, with mfrc522_rig.py: test_chip.py starts one process per function.
from mfrc522_rig import (
    ERR,
    REQA,
    UID4,
    UID7,
    UID10,
    WUPA,
    crc,
    halt,
    lab,
    read,
    select,
    send,
    set_up,
    write,
)


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
