# Bodies: what one half builds the other reads, and every field is checked. Both interpreters.

import json

from support import raises

from doorward_core import board_messages as board
from doorward_core import cache_messages as cache
from doorward_core import gateway_cache as given
from doorward_core import gateway_messages as gateway
from doorward_core import gateway_states as states
from doorward_core.messages import MessageError, decode, encode
from doorward_core.seal import MAX_PAYLOAD


def fields(built, **changes):
    # built with some fields changed, as bytes; a value of None takes the field away.
    found = json.loads(built)
    for name, value in changes.items():
        if value is None:
            del found[name]
        else:
            found[name] = value
    return json.dumps(found).encode()


def wrong_field(parse, body):
    return raises(MessageError, parse, body).field


def test_hello():
    stored = (6, bytes(range(16)))
    built = board.hello("front", "0.1.0", "0a1b2c3d", 7, 3, 4999, 12, stored + (0,))
    found = gateway.parse_hello(built)
    assert found.heard == 12
    assert found.log_stored == stored
    ahead = board.hello("front", "0.1.0", "0a1b2c3d", 7, 3, 4999, 12, (8, bytes(16), 0))
    assert wrong_field(gateway.parse_hello, ahead) == "stored"
    assert wrong_field(gateway.parse_hello, built.replace(b"0001", b"zz01")) == "digest"
    assert (found.device, found.firmware, found.cache_version) == ("front", "0.1.0", 3)
    assert (found.log_epoch, found.log_seq, found.uptime) == ("0a1b2c3d", 7, 4)
    assert found.log_lost == 0
    built = board.hello("front", "0.1.0", "0a1b2c3d", 7, 3, 4999, 12, stored + (4,))
    assert gateway.parse_hello(built).log_lost == 4
    built = board.hello("front", "0.1.0", "0a1b2c3d", 7, 3, 4999, 12, stored + (7,))
    assert wrong_field(gateway.parse_hello, built) == "lost"


def test_access_request():
    built = board.access_request("front", 0, bytes(range(16)))
    found = gateway.parse_access_request(built)
    assert (found.device, found.reader, found.method) == ("front", 0, "rfid")
    assert found.credential == bytes(range(16))
    for name, value in (("credential", "00"), ("credential", "zz" * 16), ("reader", 16)):
        assert wrong_field(gateway.parse_access_request, fields(built, **{name: value})) == name
    for name in ("device_id", "reader", "method", "credential"):
        assert wrong_field(gateway.parse_access_request, fields(built, **{name: None})) == name


def test_access_answer():
    found = board.parse_access_answer(gateway.access_answer(True, 10, 5, "2026-11-21T10:30:00Z"))
    assert found == (True, 10, 5)
    found = board.parse_access_answer(gateway.access_answer(False, 1, 5, "2026-11-21T10:30:00Z"))
    assert found == (False, 1, 0)


def test_nothing_but_true_grants():
    built = gateway.access_answer(True, 10, 5, "2026-11-21T10:30:00Z")
    for value in (1, "true", "yes", [], {}):
        body = fields(built, access_granted=value)
        assert wrong_field(board.parse_access_answer, body) == "access_granted"
    for value in (0, 61, -1, True, 2.5, "5"):
        assert wrong_field(board.parse_access_answer, fields(built, seconds=value)) == "seconds"


def test_time():
    found = board.parse_time_answer(gateway.time_answer(1795257000, 60, 1806195600, 120))
    assert found == (1795257000, 60, 1806195600, 120)


def test_event_and_its_acknowledgement():
    built = board.event(
        "door.open", "front", "0a1b2c3d", 7, "2026-11-21T10:30:00Z", "gateway", {"by": "rex"}
    )
    assert decode(built)["event_id"] == "front-0a1b2c3d-7"
    found = gateway.parse_event(built)
    assert (found.kind, found.device, found.seq) == ("door.open", "front", 7)
    assert (found.clock, found.data) == ("gateway", {"by": "rex"})
    said = gateway.events_ack("0a1b2c3d", 7, bytes(range(16)))
    assert board.parse_events_ack(said) == ("0a1b2c3d", 7, bytes(range(16)), False)
    assert wrong_field(board.parse_events_ack, fields(said, digest="00")) == "digest"
    # A gateway of before.
    assert board.parse_events_ack(b'{"epoch":"0a1b2c3d","seq":7}') == ("0a1b2c3d", 7, None, False)


def test_reported():
    found = states.parse_reported(board.reported("locked", "open", None, 3, "0.1.0"))
    assert (found.lock, found.contact, found.alarm) == ("locked", "open", None)
    built = board.reported("locked", None, "forced", 3, "0.1.0")
    assert states.parse_reported(built).contact is None
    for name in ("lock", "contact", "alarm"):
        assert wrong_field(states.parse_reported, fields(built, **{name: "ajar"})) == name


def test_what_sensors_and_lamps_report():
    light = {"level": 40, "kelvin": 2700, "cause": "button"}
    more = {"motion": True, "light": light}
    built = board.reported(None, None, None, 0, "0.1.0", more)
    found = states.parse_reported(built)
    assert (found.lock, found.motion, found.light) == (None, True, (40, 2700, "button"))
    found = states.parse_reported(board.reported(None, None, None, 0, "1", {"motion": None}))
    assert found.motion is None and found.light is None
    assert states.parse_reported(board.reported("locked", None, None, 0, "1")).motion == ""
    assert wrong_field(states.parse_reported, fields(built, motion=1)) == "motion"
    assert (
        wrong_field(states.parse_reported, fields(built, light=dict(light, level=101))) == "level"
    )
    assert wrong_field(states.parse_reported, fields(built, light=7)) == "light"


def test_commands_and_what_is_said_to_them():
    built = gateway.command("unlock", {"seconds": 5}, "cmd_1", "2026-11-21T10:30:00Z", 5)
    assert sorted(decode(built)) == ["command", "command_id", "parameters", "timestamp", "ttl_s"]
    found = board.parse_command(built)
    assert found == ("unlock", "cmd_1", {"seconds": 5})
    offered = gateway.parse_command_ack(board.challenge_answer("cmd_1", bytes(range(16))))
    assert (offered.command_id, offered.nonce, offered.result) == ("cmd_1", bytes(range(16)), None)
    done = gateway.parse_command_ack(board.command_result("cmd_1", "done"))
    assert (done.command_id, done.nonce, done.result) == ("cmd_1", None, "done")
    wanted = gateway.parse_command_ack(cache.cache_wanted(3, 768))
    assert (wanted.want, wanted.version, wanted.offset, wanted.base) == ("cache", 3, 768, 0)
    assert gateway.parse_command_ack(cache.cache_wanted(3, 0, 2)).base == 2
    assert cache.parse_cache_chunk(given.cache_chunk(3, 0, b"x", 2))[4] == 2


def test_the_doors_policy_in_a_config():
    said = json.loads(given.config(3, 1000, bytes(32), 5000, 10000, 30000))

    def found(**policy):
        door = dict(said["door"])
        door.update(policy)
        return cache.parse_config(encode(dict(said, door=door)))

    for name in ("lockdown", "min_strength"):
        said["door"].pop(name, None)
    assert (found().lockdown, found().min_strength, found().site_rules) == (False, 1, False)
    assert found(lockdown=True).lockdown and found(min_strength=2).min_strength == 2
    for name, value in (("lockdown", 1), ("min_strength", 3), ("min_strength", True)):
        assert raises(MessageError, lambda: found(**{name: value})).field == name


def test_a_cap_too_short_for_the_doors_margin_is_refused():
    for cap in (1999, 60001):
        body = given.config(3, 1000, bytes(32), 1000, cap, 30000)
        assert raises(MessageError, cache.parse_config, body).field == "cap_ms"
    assert cache.parse_config(given.config(3, 1000, bytes(32), 1000, 2000, 30000)).cap_ms == 2000


def test_config():
    found = cache.parse_config(given.config(3, 1000, bytes(32), 5000, 10000, 30000))
    assert (found.cache_version, found.cache_size, found.cache_digest) == (3, 1000, "00" * 32)
    assert (found.strike_ms, found.cap_ms, found.held_ms) == (5000, 10000, 30000)


def test_a_cache_goes_over_in_chunks_that_a_board_takes():
    file = bytes(range(256)) * 5
    got = b""
    while len(got) < len(file):
        built = given.cache_chunk(3, len(got), file)
        assert len(built) < MAX_PAYLOAD - 200
        version, offset, total, data, base = cache.parse_cache_chunk(built)
        assert base == 0
        assert (version, offset, total) == (3, len(got), len(file))
        got += data
    assert got == file


def test_a_body_that_is_no_object_is_refused():
    for body in (b"", b"{", b"[]", b"1", b"null", b"\xff", b'"text"', b"[" * 971, b'{"a":' * 160):
        assert wrong_field(decode, body) == ""


def test_no_name_of_a_person_has_a_place_in_what_a_board_gets():
    for built in (
        gateway.access_answer(True, 10, 5, "2026-11-21T10:30:00Z"),
        given.config(3, 1000, bytes(32), 5000, 10000, 30000),
    ):
        assert not [name for name in decode(built) if "name" in name or "user" in name]


def test_readings_of_a_self_test():
    built = encode({"command_id": "c1", "part": "flash", "data": {"free": 12}})
    found = gateway.parse_command_ack(built)
    assert (found.command_id, found.part, found.data) == ("c1", "flash", {"free": 12})
    assert found.nonce is found.result is found.want is None
    assert wrong_field(gateway.parse_command_ack, fields(built, part=7)) == "part"
    assert wrong_field(gateway.parse_command_ack, fields(built, data=[])) == "data"
