# check_mfrc522.py  The reader's registers, FIFO, CRC, timer and faults, as the datasheet has them.
#
# Runs on MicroPython, on the shim's own modules, with mfrc522_rig.py: test_chip.py starts one process per function.
from time import sleep_ms

from mfrc522_rig import (
    ERR,
    RX,
    TIMER,
    TX,
    UID4,
    WUPA,
    chip,
    crc,
    lab,
    read,
    send,
    set_up,
    wire,
    write,
)

from lab_parts import link


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
