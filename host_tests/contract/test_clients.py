# What holds for every MQTT client of the firmware: doorward's own, and the one over umqtt.simple.
#
# CLIENT: "own" or "umqtt". BROKER_PORT: a real broker, open to sam. ODD_PORT: odd_broker.py, where
# the client id says what it does. Run by cpython/test_mqtt_clients.py.

import asyncio
import os

PORT = int(os.getenv("BROKER_PORT"))
ODD_PORT = int(os.getenv("ODD_PORT"))
OWN = os.getenv("CLIENT") == "own"
if OWN:
    from doorward_node.client import MQTTClient, MQTTException
else:
    from doorward_node.umqtt_client import MQTTClient, MQTTException


def client(name, port=PORT, keepalive=30):
    made = MQTTClient(name, "127.0.0.1", port, "sam", "73616d" + "5" * 58, keepalive)
    made.got = []
    made.set_callback(lambda topic, msg, retained, dup: made.got.append((topic, msg)))
    return made


async def until(condition, ms=8000):
    while not condition():
        ms -= 5
        assert ms > 0, "it did not happen in time"
        await asyncio.sleep_ms(5)


async def error_of(coroutine):
    try:
        await coroutine
    except (OSError, ValueError) as error:
        return error
    raise AssertionError("no error was raised")


async def odd(name):
    # A client at the odd broker, connected, and subscribed to everything that it says.
    one = client(name, ODD_PORT)
    await one.connect()
    await one.subscribe("#", 1)
    return one


async def test_messages_both_ways():
    one = client("both")
    assert await one.connect() is False
    await one.subscribe("school/+/a", 1)
    sent = [("school/r/a", b""), ("school/ü/a", b"x" * 1000), ("school/" + "l" * 150 + "/a", b"y")]
    for topic, msg in sent:
        for qos in (0, 1):
            await one.publish(topic, msg, False, qos)
    await until(lambda: len(one.got) == 6)
    assert one.got == [message for message in sent for _ in range(2)]
    await one.publish("school/r/a", "text")
    await until(lambda: one.got[-1] == ("school/r/a", b"text"))
    await one.disconnect()
    assert not one.up


async def test_a_session_waits_and_is_reported():
    one, other = client("kept"), client("other")
    await one.connect(False)
    await one.subscribe("school/kept", 1)
    await one.disconnect()
    await other.connect()
    await other.publish("school/kept", b"waited", False, 1)
    await other.disconnect()
    assert await one.connect(False) is True
    await until(lambda: one.got == [("school/kept", b"waited")])
    await one.disconnect()
    assert await one.connect(True) is False
    await one.disconnect()


async def test_subscriptions_come_back_with_a_session_that_does_not():
    one = client("again")
    await one.connect()
    await one.subscribe("school/again", 1)
    await one.disconnect()
    one.subscribe_later("school/later", 0)
    await one.connect()
    await asyncio.sleep_ms(100)
    for topic in ("school/again", "school/later"):
        await one.publish(topic, b"x", False, 1)
    await until(lambda: len(one.got) == 2)
    await one.disconnect()


async def test_retained_and_will():
    one, late = client("dies"), client("late")
    one.set_last_will("school/will", "gone", True, 1)
    await one.connect()
    await one.disconnect()
    await one.connect()
    (one._transport if OWN else one._simple.sock).close()
    await asyncio.sleep_ms(200)
    await late.connect()
    await late.subscribe("school/will", 1)
    await until(lambda: late.got == [("school/will", b"gone")])
    await late.publish("school/will", b"", True, 1)
    await late.disconnect()


async def test_quality_of_service_2_or_a_clear_no():
    one = client("twice")
    await one.connect()
    if OWN:
        await one.subscribe("school/2", 2)
        await one.publish("school/2", b"x", False, 2)
        await until(lambda: one.got == [("school/2", b"x")])
    else:
        assert "qos" in str(await error_of(one.subscribe("school/2", 2)))
        assert "qos" in str(await error_of(one.publish("school/2", b"x", False, 2)))
        await one.publish("school/2", b"still there", False, 1)
    await one.disconnect()


async def test_packet_identifiers_wrap():
    one = await odd("counts")
    if OWN:
        one._last_id = 65533
    else:
        one._simple.pid = 65533
    for _ in range(4):
        await one.publish("ids", b"x", False, 1)
    await one.publish("report", b"", False, 1)
    await until(lambda: one.got)
    assert one.got == [("said", b"65534 65535 1 2 3")]
    await one.disconnect()


async def test_each_packet_goes_out_in_one_piece():
    one = await odd("pieces")
    for size in (0, 10, 500):
        await one.publish("a/b/c", b"x" * size, False, 1)
    await one.publish("report", b"", False, 1)
    await until(lambda: one.got)
    assert one.got == [("said", b"1 1 1 1")], one.got
    await one.disconnect()


async def test_refused():
    error = await error_of(client("refused", ODD_PORT).connect())
    assert isinstance(error, MQTTException) and error.args[0] == 4, error
    one = client("unheard", ODD_PORT)
    await one.connect()
    error = await error_of(one.subscribe("not/mine"))
    assert isinstance(error, MQTTException) and error.args[0] == 128, error
    await one.publish("report", b"", False, 1)
    await one.disconnect()
    # It is not asked for again.
    await one.connect()
    await asyncio.sleep_ms(200)
    await one.publish("report", b"", False, 1)
    await one.disconnect()


async def test_somebody_elses_acknowledgement_is_none():
    one = await odd("foreign")
    await one.publish("a", b"x", False, 1)
    await one.publish("report", b"", False, 1)
    await until(lambda: one.got)
    assert one.got == [("said", b"waited")]
    await one.disconnect()


async def test_a_message_that_is_too_long_is_passed_over_and_counted():
    one = await odd("long")
    await one.publish("report", b"", False, 1)
    await until(lambda: one.got)
    assert one.got == [("said", b"short")]
    assert one.dropped == 2
    await one.disconnect()


async def test_whatever_a_broker_says_is_an_oserror_at_most_and_the_next_connection_works():
    for name in ("closes", "cuts", "garbage", "wrong", "mute"):
        one = client(name, ODD_PORT)
        if OWN:
            one.ack_ms = 1000
        await one.connect()
        assert isinstance(await error_of(one.publish("a", b"x", False, 1)), OSError), name
        if OWN and name == "mute":
            await one.disconnect()
        await until(lambda: not one.up)
        assert one.got == [], name  # nor is half a message one
        await one.connect()
        await one.disconnect()


async def test_a_missed_ping_ends_the_connection():
    one = client("deaf", ODD_PORT, keepalive=1)
    await one.connect()
    await until(lambda: not one.up, 12000)


async def test_run_comes_back_with_its_subscriptions():
    one, ups = client("runs", ODD_PORT), []
    one.subscribe_later("#", 1)
    task = asyncio.create_task(one.run(lambda: ups.append(1)))
    await until(lambda: len(ups) == 3 and one.got == [("said", b"welcome")] * 3, 12000)
    task.cancel()
    await one.disconnect()
