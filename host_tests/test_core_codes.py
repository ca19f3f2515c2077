# Codes in the place of UIDs. Both interpreters.

from doorward_core.codes import credential


def test_credentials_of_codes_differ_and_are_no_uids():
    codes = ("0000", "00000", "000000", "1234", "12340", "4321", "12345678", "87654321")
    made = [credential(code) for code in codes]
    assert len(set(made)) == len(codes)
    # Cards have 4, 7 or 10 bytes, Wiegand cards 4, and a request carries 10 at the most.
    assert {len(one) for one in made} == {8}


def test_what_logs_show_of_a_code_says_nothing_of_it():
    assert {credential(code)[-2:] for code in ("0000", "4711", "12345678")} == {b"\0\0"}
