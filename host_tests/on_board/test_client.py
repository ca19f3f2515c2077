# The MQTT client of a program of your own: every byte, and every way in which a handshake can break.

import asyncio
from errno import ECONNRESET, ETIMEDOUT
from time import ticks_diff, ticks_ms

from scripted_broker import Script, free_port

from doorward_core import mqtt, mqtt_server
from doorward_node import link as link_module
from doorward_node.client import MQTTClient, MQTTException

RELEASED = b"\x62\x02\x00\x01"


def client(port, name="c", ack_ms=300, keepalive=30):
    made = MQTTClient(name, "127.0.0.1", port, keepalive=keepalive)
    made.ack_ms = ack_ms
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
    except OSError as error:
        return error
    raise AssertionError("no OSError was raised")


async def ended(script, one, task=None):
    # Everybody goes; what the script did not like is raised.
    if task:
        task.cancel()
    await one.disconnect()
    await asyncio.sleep_ms(20)
    script.stop()


async def test_every_packet_is_exact_and_in_one_piece():
    async def listen(peer):
        assert await peer.accept() == (
            b"\x10\x24\x00\x04MQTT\x04\xee\x00\x1e\x00\x01c\x00\x01w\x00\x04gone\x00\x04user\x00\x06secret"
        )
        await peer.hear(b"\x82\x08\x00\x01\x00\x03a/b\x02")
        await peer.say(b"\x90\x03\x00\x01\x02")
        await peer.hear(b"\x30\x07\x00\x03a/bhi")
        await peer.hear(b"\x33\x09\x00\x03a/b\x00\x02hi")
        await peer.say(b"\x40\x02\x00\x02")
        await peer.hear(b"\x34\x83\x02\x00\x01a\x00\x03" + b"x" * 254)
        await peer.say(b"\x50\x02\x00\x03")
        await peer.hear(b"\x62\x02\x00\x03")
        await peer.say(b"\x70\x02\x00\x03")
        await peer.hear(b"\xa2\x07\x00\x04\x00\x03a/b")
        await peer.say(b"\xb0\x02\x00\x04")
        await peer.hear(b"\xc0\x00")
        await peer.say(b"\xd0\x00")
        await peer.say(b"\x32\x08\x00\x01a\x01\x02one", b"\x34\x08\x00\x01a\x01\x03two")
        await peer.hear(b"\x40\x02\x01\x02\x50\x02\x01\x03")
        await peer.say(b"\x62\x02\x01\x03")
        await peer.hear(b"\x70\x02\x01\x03")
        await peer.hear(b"\xe0\x00")

    script = await Script(listen).start()
    one = MQTTClient("c", "127.0.0.1", script.port, "user", "secret")
    came = []
    one.set_callback(lambda *message: came.append(message))
    one.set_last_will("w", "gone", True, 1)
    await one.connect()
    await one.subscribe("a/b", 2)
    await one.publish("a/b", "hi")
    await asyncio.sleep_ms(20)
    await one.publish("a/b", b"hi", True, 1)
    await one.publish("a", b"x" * 254, False, 2)
    await one.unsubscribe("a/b")
    await one.ping()
    await until(lambda: len(came) == 2)
    assert came == [("a", b"one", False, False), ("a", b"two", False, False)]
    await asyncio.sleep_ms(50)
    await ended(script, one)


async def test_a_lost_acknowledgement_is_an_error_of_one_connection():
    async def forget(peer):
        await peer.accept()
        await peer.gone()

    script = await Script(forget).start()
    one = client(script.port)
    await one.connect()
    assert (await error_of(one.publish("a", b"b", False, 1))).errno == ETIMEDOUT
    assert one.up and not one._calls
    await ended(script, one)


async def test_a_lost_acknowledgement_is_asked_for_on_the_next_connection():
    async def forget(peer):
        await peer.accept()
        await peer.hear(b"\x32\x06\x00\x01a\x00\x01b")
        await peer.gone()

    async def remember(peer):
        await peer.accept(True)
        await peer.hear(b"\x3a\x06\x00\x01a\x00\x01b")
        await peer.say(b"\x40\x02\x00\x01")
        await peer.gone()

    script = await Script(forget, remember).start()
    one = client(script.port)
    began = ticks_ms()
    task = asyncio.create_task(one.run())
    await one.publish("a", b"b", False, 1)
    assert ticks_diff(ticks_ms(), began) < 10000  # long before a ping would be missed
    await ended(script, one, task)


async def test_somebody_elses_acknowledgement_is_none():
    async def confuse(peer):
        await peer.accept()
        await peer.hear(b"\x32\x06\x00\x01a\x00\x01b")
        for wrong in (b"\x40\x02\x00\x02", b"\x40\x02\xff\xff", b"\x70\x02\x00\x01"):
            await peer.say(wrong, b"\xb0\x02\x00\x01")
        await asyncio.sleep_ms(100)
        waited.append(len(one._calls))
        await peer.say(b"\x40\x02\x00\x01")
        await peer.gone()

    waited = []

    script = await Script(confuse).start()
    one = client(script.port)
    await one.connect()
    await one.publish("a", b"b", False, 1)
    assert waited == [1]
    await ended(script, one)


async def test_quality_of_service_2_goes_on_where_it_was_cut():
    async def cut_before_received(peer):
        await peer.accept()
        await peer.hear(b"\x34\x06\x00\x01a\x00\x01b")

    async def cut_before_completed(peer):
        await peer.accept(True)
        await peer.hear(b"\x3c\x06\x00\x01a\x00\x01b")
        await peer.say(b"\x50\x02\x00\x01")
        await peer.hear(RELEASED)

    async def complete(peer):
        await peer.accept(True)
        await peer.hear(RELEASED)
        await peer.say(b"\x70\x02\x00\x01")
        await peer.gone()

    script = await Script(cut_before_received, cut_before_completed, complete).start()
    one = client(script.port, ack_ms=5000)
    task = asyncio.create_task(one.run())
    await one.publish("a", b"b", False, 2)
    await ended(script, one, task)


async def test_a_broker_that_forgot_gets_quality_1_again_and_quality_2_never():
    # QoS 2 promises exactly once, and nobody knows any more how often it was.
    async def cut(peer):
        await peer.accept()
        while len(one._calls) < 2 or not one._calls[1].repeated:
            await asyncio.sleep_ms(5)

    async def forget(peer):
        await peer.accept(False)
        await peer.hear(b"\x32\x06\x00\x01a\x00\x01b")
        await peer.say(b"\x40\x02\x00\x01")
        await peer.gone()

    script = await Script(cut, forget).start()
    one = client(script.port, ack_ms=5000)
    task = asyncio.create_task(one.run())
    first = asyncio.create_task(one.publish("a", b"b", False, 1))
    await asyncio.sleep_ms(0)
    assert (await error_of(one.publish("c", b"d", False, 2))).errno == ECONNRESET
    await first
    assert not one._owed
    await ended(script, one, task)


async def test_a_handshake_nobody_waits_for_is_finished_and_its_id_stays_taken():
    # Otherwise the broker would take the next message under that id for the old one.
    async def say_nothing(peer):
        await peer.accept()
        await peer.hear(b"\x34\x06\x00\x01a\x00\x01b")
        await peer.gone()

    async def finish(peer):
        await peer.accept(True)
        await peer.hear(RELEASED)
        await peer.hear(b"\x32\x06\x00\x01a\x00\x02c")
        await peer.say(b"\x40\x02\x00\x02", b"\x70\x02\x00\x01")
        await peer.gone()

    script = await Script(say_nothing, finish).start()
    one = client(script.port)
    await one.connect(False)
    assert (await error_of(one.publish("a", b"b", False, 2))).errno == ETIMEDOUT
    assert one._owed == {1}
    await one.disconnect()
    await one.connect(False)
    await asyncio.sleep_ms(20)
    one._last_id = 65535
    await one.publish("a", b"c", False, 1)
    await until(lambda: not one._owed)
    await ended(script, one)


async def test_what_comes_twice_at_quality_2_is_heard_once():
    twice = mqtt.publish("a", b"b", 2, False, False, 7)
    again = mqtt.publish("a", b"b", 2, False, True, 7)

    async def cut(peer):
        await peer.accept()
        await peer.say(twice)
        await peer.hear(b"\x50\x02\x00\x07")

    async def repeat(peer):
        await peer.accept(True)
        await peer.say(again)
        await peer.hear(b"\x50\x02\x00\x07")
        await peer.say(b"\x62\x02\x00\x07")
        await peer.hear(b"\x70\x02\x00\x07")
        # A new message under an id that is free again, then a broker without memory.
        await peer.say(twice)
        await peer.hear(b"\x50\x02\x00\x07")

    async def forget(peer):
        await peer.accept(False)
        await peer.say(twice)
        await peer.hear(b"\x50\x02\x00\x07")
        await peer.gone()

    script = await Script(cut, repeat, forget).start()
    one = client(script.port)
    task = asyncio.create_task(one.run())
    await until(lambda: len(one.got) == 3)
    await asyncio.sleep_ms(100)
    assert len(one.got) == 3
    await ended(script, one, task)


async def test_a_broker_cannot_fill_the_heap_with_begun_messages():
    async def begin(peer):
        await peer.accept()
        for number in range(1, 70):
            await peer.say(mqtt.publish("a", b"b", 2, False, False, number))
        await peer.gone()

    script = await Script(begin).start()
    one = client(script.port)
    await one.connect()
    await until(lambda: not one.up)
    assert len(one.got) == 64
    await ended(script, one)


async def test_a_session_that_is_still_there_is_not_subscribed_again():
    asked = mqtt.subscribe(1, [("a/#", 1)])

    async def first(peer):
        await peer.accept(True)  # from before a restart: who knows what it holds
        await peer.hear(asked)
        await peer.say(b"\x90\x03\x00\x01\x01")
        await asyncio.sleep_ms(100)

    async def still_there(peer):
        await peer.accept(True)
        await peer.say(mqtt.publish("a/1", b"waited"))
        await until(lambda: one.got == [("a/1", b"waited")])
        one.subscribe_later("b", 0)

    async def knows_half(peer):
        await peer.accept(True)
        await peer.hear(mqtt.subscribe(2, [("b", 0)]))
        await peer.say(b"\x90\x03\x00\x02\x00")
        await asyncio.sleep_ms(100)

    async def gone(peer):
        await peer.accept(False)
        await peer.hear(mqtt.subscribe(3, [("a/#", 1), ("b", 0)]))
        await peer.gone()

    script = await Script(first, still_there, knows_half, gone).start()
    one = client(script.port)
    one.subscribe_later("a/#", 1)
    task = asyncio.create_task(one.run())
    await until(lambda: not script._left)
    await asyncio.sleep_ms(100)
    await ended(script, one, task)


async def test_a_peer_that_closes_in_the_middle_of_a_packet():
    whole = mqtt.publish("a", b"b" * 200, 1, False, False, 9)
    cuts = (1, 2, 3, 5, 100, len(whole) - 1)

    def closing(size):
        async def close(peer):
            await peer.accept()
            await peer.say(whole[:size])

        return close

    async def whole_again(peer):
        await peer.accept(True)
        await peer.say(whole)
        await peer.hear(b"\x40\x02\x00\x09")
        await peer.gone()

    script = await Script(*[closing(size) for size in cuts], whole_again).start()
    one = client(script.port)
    for _ in cuts:
        await one.connect(False)
        await until(lambda: not one.up)
    assert one.got == []
    await one.connect(False)
    await until(lambda: one.got == [("a", b"b" * 200)])
    await asyncio.sleep_ms(50)
    await ended(script, one)


async def test_packets_that_are_too_long_are_counted():
    async def overdo(peer):
        await peer.accept()
        for qos in (0, 1, 2):
            await peer.say(mqtt.publish("a", b"x" * 5000, qos, False, False, 7))
        await peer.hear(b"\x40\x02\x00\x07\x50\x02\x00\x07")
        await peer.say(mqtt.publish("a", b"short"))
        await peer.gone()

    script = await Script(overdo).start()
    one = client(script.port)
    await one.connect()
    await until(lambda: one.got == [("a", b"short")])
    assert one.dropped == 3
    await ended(script, one)


async def test_it_waits_longer_and_longer_never_the_same_and_never_gives_up():
    pauses = []

    class Clock:
        # asyncio, whose pauses between two connections take no time.
        create_task = asyncio.create_task
        current_task = asyncio.current_task

        @staticmethod
        async def sleep_ms(ms):
            if ms != 250:  # how often _attend looks
                pauses.append(ms)
            await asyncio.sleep_ms(1)

    one = client(free_port())
    link_module.asyncio = Clock
    try:
        task = asyncio.create_task(one.run())
        await until(lambda: len(pauses) > 60)
    finally:
        link_module.asyncio = asyncio
        task.cancel()
    for number, pause in enumerate(pauses):
        most = min(250 << number, 8000)
        assert most // 2 <= pause <= most, (number, pause)
    assert len(set(pauses[10:])) > 10


async def test_a_refusal_is_an_error_once_and_no_reason_to_give_up():
    async def refuse(peer):
        await peer.heard()
        await peer.say(mqtt_server.connack(False, mqtt.UNAVAILABLE))

    async def accept(peer):
        await peer.accept()
        await peer.gone()

    script = await Script(refuse, refuse, accept).start()
    one = client(script.port)
    error = await error_of(one.connect())
    assert isinstance(error, MQTTException)
    assert error.args[0] == mqtt.UNAVAILABLE
    task = asyncio.create_task(one.run())
    await until(lambda: one.up)
    await ended(script, one, task)


async def test_a_refused_subscription_is_an_error_and_not_asked_for_again():
    async def refuse(peer):
        await peer.accept()
        await peer.hear(mqtt.subscribe(1, [("a", 0)]))
        await peer.say(b"\x90\x03\x00\x01\x80")
        await peer.gone()

    async def accept(peer):
        await peer.accept()
        await peer.hear(b"\xe0\x00")

    script = await Script(refuse, accept).start()
    one = client(script.port)
    await one.connect()
    assert isinstance(await error_of(one.subscribe("a")), MQTTException)
    await one.disconnect()
    await one.connect()
    await asyncio.sleep_ms(50)
    await ended(script, one)


async def test_what_waits_ends_with_its_connection_and_with_run():
    async def leave(peer):
        await peer.accept()
        await peer.heard()

    async def stay(peer):
        await peer.accept()
        await peer.gone()

    script = await Script(leave, stay).start()
    one = client(script.port, ack_ms=5000)
    await one.connect()
    await error_of(one.publish("a", b"b", False, 1))
    await error_of(one.wait_msg())
    await error_of(one.publish("a", b"b", False, 1))
    task = asyncio.create_task(one.run())
    await until(lambda: one.up)
    waiting = asyncio.create_task(error_of(one.publish("a", b"b", False, 1)))
    await asyncio.sleep_ms(50)
    task.cancel()
    await waiting
    assert not one.up
    await asyncio.sleep_ms(20)
    script.stop()
