# The seal against vectors that a second implementation wrote. Runs on CPython and MicroPython.

from binascii import hexlify, unhexlify

from support import raises, vectors

from doorward_core import gateway_seal, seal
from doorward_core.topics import ACCESS_REQUEST, ACCESS_RESPONSE, CONTROL, EVENTS

KEYS = seal.Keys("front", bytes(range(32)))
NONCE = bytes(range(16))
WORD = seal.nonce_word(NONCE)
BODY = b'{"method":"rfid"}'


def row_keys(row):
    return seal.Keys(row.get("device", "front"), unhexlify(row["secret"]), row["epoch"])


def reason(suffix, payload, keys=KEYS, extra=b""):
    return raises(seal.SealError, seal.open_sealed, keys, suffix, payload, extra).reason


def test_every_label_seals_to_the_bytes_of_the_second_implementation():
    rows = vectors("seal")
    assert len({row["label"] for row in rows}) == 16
    for row in rows:
        body, extra = unhexlify(row["body"]), unhexlify(row["extra"])
        payload = seal.seal(row_keys(row), row["suffix"], row["freshness"], body, extra)
        assert hexlify(payload).decode() == row["payload"], row["label"]


def test_every_vector_opens_to_its_body_and_freshness():
    for row in vectors("seal"):
        opened = seal.open_sealed(
            row_keys(row), row["suffix"], unhexlify(row["payload"]), unhexlify(row["extra"])
        )
        assert opened.body == unhexlify(row["body"])
        assert opened.freshness == row["freshness"]


def test_no_bit_can_be_flipped():
    payload = seal.seal(KEYS, ACCESS_REQUEST, WORD, BODY)
    assert seal.open_sealed(KEYS, ACCESS_REQUEST, payload).body == BODY
    for index in range(len(payload)):
        for bit in range(8):
            bent = bytearray(payload)
            bent[index] ^= 1 << bit
            raises(seal.SealError, seal.open_sealed, KEYS, ACCESS_REQUEST, bytes(bent))


def test_no_byte_can_be_cut_off_or_added():
    payload = seal.seal(KEYS, ACCESS_REQUEST, WORD, BODY)
    for size in range(len(payload)):
        raises(seal.SealError, seal.open_sealed, KEYS, ACCESS_REQUEST, payload[:size])
        raises(seal.SealError, seal.open_sealed, KEYS, ACCESS_REQUEST, payload[size + 1 :])
    for more in (b"\0", b"\n", b" ", b"0"):
        raises(seal.SealError, seal.open_sealed, KEYS, ACCESS_REQUEST, payload + more)
        raises(seal.SealError, seal.open_sealed, KEYS, ACCESS_REQUEST, more + payload)


def test_a_seal_is_worth_nothing_on_another_leaf():
    payload = seal.seal(KEYS, ACCESS_REQUEST, WORD, BODY)
    assert reason("time/request", payload) == "mac"
    assert reason(ACCESS_RESPONSE, payload) == "mac"
    assert reason(EVENTS, payload) == "kind"
    assert reason("school/anything", payload) == "kind"


def test_a_release_is_no_control_and_a_control_no_release():
    boot = bytes(8)
    release = seal.seal(KEYS, CONTROL, WORD, BODY)
    control = seal.seal(KEYS, CONTROL, seal.session_word(boot, 1), BODY)
    for payload, word in ((release, seal.session_word(boot, 1)), (control, WORD)):
        words = payload.split(b" ")
        words[2] = word.encode()
        assert reason(CONTROL, b" ".join(words)) == "mac"


def test_a_seal_is_worth_nothing_for_another_device_or_key():
    payload = seal.seal(KEYS, ACCESS_REQUEST, WORD, BODY)
    assert reason(ACCESS_REQUEST, payload, seal.Keys("back", bytes(range(32)))) == "mac"
    assert reason(ACCESS_REQUEST, payload, seal.Keys("front", bytes(32))) == "mac"
    assert reason(ACCESS_REQUEST, payload, seal.Keys("front", bytes(range(32)), 2)) == "epoch"


def test_fields_cannot_slide_into_each_other():
    left = seal.seal(KEYS, EVENTS, "e:00000001.1", b"ab", b"c")
    right = seal.seal(KEYS, EVENTS, "e:00000001.1", b"a", b"bc")
    assert left[-32:] != right[-32:]


def test_the_log_digest_is_covered():
    payload = seal.seal(KEYS, EVENTS, "e:00000001.1", BODY, bytes(16))
    assert seal.open_sealed(KEYS, EVENTS, payload, bytes(16)).body == BODY
    assert reason(EVENTS, payload, KEYS, bytes(15) + b"\1") == "mac"
    assert reason(EVENTS, payload) == "mac"


def test_what_is_no_sealed_payload_is_refused_before_anything_else():
    mac = b"0" * 32
    for payload in (
        b"",
        b"{}",
        b"{}\n",
        b"{}\ndw1",
        b"{}\ndw2 1 " + WORD.encode() + b" " + mac,
        b"{}\ndw1 01 " + WORD.encode() + b" " + mac,
        b"{}\ndw1 -1 " + WORD.encode() + b" " + mac,
        b"{}\ndw1 1 " + WORD.encode() + b" " + b"Z" * 32,
        b"{}\ndw1 1 " + WORD.encode() + b"  " + mac,
        b"{}\ndw1 1 \xff " + mac,
        b"x" * (seal.MAX_PAYLOAD + 1),
    ):
        assert reason(ACCESS_REQUEST, payload) == "form", payload


def test_freshness_words_have_one_spelling():
    assert seal.parse_freshness(WORD) == ("n", NONCE, 0)
    assert seal.parse_freshness(seal.session_word(bytes(8), 12)) == ("s", bytes(8), 12)
    assert seal.parse_freshness(gateway_seal.counter_word(0)) == ("c", 0, 0)
    assert seal.parse_freshness(seal.event_word("0a1b2c3d", 9)) == ("e", "0a1b2c3d", 9)
    for word in (
        "",
        "n:",
        WORD.upper(),
        WORD + "0",
        "n:" + "zz" * 16,
        "c:01",
        "c:+1",
        "c:-1",
        "c: 1",
        "c:1 ",
        "c:99999999999999999",
        "s:" + "00" * 8,
        "s:" + "00" * 8 + ".",
        "s:" + "00" * 7 + ".1",
        "e:0a1b2c3D.1",
        "e:0a1b2c.1",
        "x:1",
    ):
        assert raises(seal.SealError, seal.parse_freshness, word).reason == "form", word


def test_uids_travel_and_are_kept_as_the_second_implementation_says():
    for row in vectors("card"):
        keys, nonce, uid = row_keys(row), unhexlify(row["nonce"]), unhexlify(row["uid"])
        assert hexlify(seal.encrypt_uid(keys, nonce, uid)).decode() == row["block"]
        assert gateway_seal.decrypt_uid(keys, nonce, unhexlify(row["block"])) == uid
        assert hexlify(seal.tag(keys, uid)).decode() == row["tag"]


def test_uids_that_share_a_prefix_never_alias():
    tags = {row["tag"] for row in vectors("card")}
    assert len(tags) == len(vectors("card"))


def test_a_block_that_is_no_uid_is_refused():
    for block in (b"", bytes(15), bytes(16), bytes(range(16)), bytes(17)):
        assert raises(seal.SealError, gateway_seal.decrypt_uid, KEYS, NONCE, block).reason == "form"


def test_a_uid_must_have_one_to_ten_bytes():
    for uid in (b"", bytes(11)):
        raises(ValueError, seal.encrypt_uid, KEYS, NONCE, uid)


def test_log_digests_are_the_second_implementations():
    digest = seal.CHAIN_START
    for row in vectors("log"):
        digest = seal.chain(digest, row["epoch"], row["seq"], unhexlify(row["body"]))
        assert hexlify(digest).decode() == row["digest"]


def test_a_device_key_has_32_bytes_and_a_device_a_proper_id():
    raises(ValueError, seal.Keys, "front", bytes(31))
    raises(ValueError, seal.Keys, "front/door", bytes(32))
