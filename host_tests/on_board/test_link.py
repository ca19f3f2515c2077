# The MQTT client against a foreign broker (mosquitto at BROKER_PORT), and against bad ones.

import asyncio
import os
import socket

from doorward_core import mqtt, mqtt_server
from doorward_node.calls import Call
from doorward_node.client import MQTTClient, MQTTException

PORT = int(os.getenv("BROKER_PORT"))


def client(name, port=PORT, keepalive=30):
    made = MQTTClient(name, "127.0.0.1", port, keepalive=keepalive)
    made.got = []
    made.set_callback(lambda topic, msg, retained, dup: made.got.append((topic, msg, retained)))
    return made


async def until(condition, ms=3000):
    while not condition():
        ms -= 5
        assert ms > 0, "it did not happen in time"
        await asyncio.sleep_ms(5)


class Broker:
    # A listener on a port of its own whose connections a test handles itself.
    def __init__(self, handle):
        listener = socket.socket()
        listener.setsockopt(1, 2, 1)
        for port in range(20000 + os.urandom(1)[0] * 100, 60000):
            try:
                listener.bind(socket.getaddrinfo("127.0.0.1", port)[0][-1])
                break
            except OSError:
                pass
        listener.close()
        self.port = port
        self._handle = handle
        self.connections = 0

    async def start(self):
        self.server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)

    async def _connected(self, reader, writer):
        self.connections += 1
        try:
            await self._handle(reader, writer)
        except OSError:
            pass

    def stop(self):
        self.server.close()


async def test_publish_and_subscribe_at_every_qos():
    one = client("qos")
    assert await one.connect() is False
    await one.subscribe("qos/+", 2)
    for qos in (0, 1, 2):
        await one.publish("qos/%d" % qos, "hello %d" % qos, False, qos)
    await until(lambda: len(one.got) == 3)
    assert one.got == [("qos/%d" % qos, b"hello %d" % qos, False) for qos in (0, 1, 2)]
    await one.disconnect()
    assert not one.up


async def test_a_session_survives_and_messages_wait_in_it():
    one = client("kept")
    await one.connect(False)
    await one.subscribe("kept/#", 1)
    await one.disconnect()
    other = client("other")
    await other.connect()
    await other.publish("kept/1", "waited", False, 1)
    assert await one.connect(False) is True
    await until(lambda: one.got == [("kept/1", b"waited", False)])
    await one.disconnect()
    await other.disconnect()
    await one.connect(True)
    await one.disconnect()


async def test_subscriptions_come_back_with_a_clean_session():
    one = client("again")
    await one.connect()
    await one.subscribe("again/#", 1)
    await one.disconnect()
    await one.connect()
    await one.publish("again/1", "x", False, 1)
    await until(lambda: one.got)
    await one.disconnect()


async def test_retained_and_will():
    watcher, one = client("watcher"), client("dies")
    await watcher.connect()
    await watcher.subscribe("will/#", 1)
    one.set_last_will("will/dies", b"gone", True, 1)
    await one.connect()
    one._transport.close()
    one._task.cancel()
    await until(lambda: watcher.got == [("will/dies", b"gone", False)])
    late = client("late")
    await late.connect()
    await late.subscribe("will/#", 1)
    await until(lambda: late.got == [("will/dies", b"gone", True)])
    await late.publish("will/dies", b"", True, 1)
    await late.disconnect()
    await watcher.disconnect()


async def test_packet_ids_wrap_and_skip_those_in_use():
    one = client("wrap")
    await one.connect()
    await one.subscribe("wrap", 1)
    one._last_id = 65533
    one._calls += [Call(65535, b"", mqtt.PUBACK), Call(1, b"", mqtt.PUBACK)]
    one._owed.add(2)
    for number in range(4):
        await one.publish("wrap", str(number), False, 1)
    assert one._last_id == 5
    one._calls.clear()
    await until(lambda: len(one.got) == 4)
    await one.disconnect()


async def test_a_long_payload_is_dropped_unread_and_never_comes_back():
    one = client("long")
    await one.connect(False)
    await one.subscribe("long/#", 1)
    for qos in (0, 1):
        await one.publish("long/%d" % qos, b"x" * 70000, False, qos)
    await one.publish("long/ok", b"y" * 1024, False, 1)
    await until(lambda: one.got)
    assert one.got == [("long/ok", b"y" * 1024, False)]
    await one.disconnect()
    await one.connect(False)
    await asyncio.sleep_ms(200)
    assert len(one.got) == 1
    await one.disconnect()


async def test_refused_by_the_broker():
    async def refuse(reader, writer):
        await reader.read(200)
        writer.write(mqtt_server.connack(False, mqtt.BAD_LOGIN))
        await writer.drain()
        await reader.read(1)

    broker = Broker(refuse)
    await broker.start()
    try:
        await client("refused", broker.port).connect()
        raise AssertionError("a refusal was taken for a connection")
    except MQTTException as error:
        assert error.args[0] == mqtt.BAD_LOGIN
    broker.stop()


async def test_a_refused_subscription_of_the_links_own_ends_the_connection():
    async def refuse(reader, writer):
        await reader.read(200)
        writer.write(mqtt_server.connack(False, 0))
        await writer.drain()
        asked = await reader.read(100)
        writer.write(b"\x90\x04" + asked[2:4] + b"\x01\x80")
        await writer.drain()
        await reader.read(1)

    broker = Broker(refuse)
    await broker.start()
    one = client("unheard", broker.port)
    one.subscribe_later("mine/#", 1)
    one.subscribe_later("not/mine", 1)
    await one.connect()
    await until(lambda: not one.up)
    assert "refused" in str(one.error)
    broker.stop()


async def test_quality_of_service_1_may_use_an_identifier_of_2():
    async def say_both(reader, writer):
        await reader.read(200)
        writer.write(mqtt_server.connack(False, 0))
        for qos in (2, 2, 1):
            writer.write(mqtt.publish("q/%d" % qos, b"x", qos, False, False, 9))
        await writer.drain()
        while await reader.read(100):
            pass

    broker = Broker(say_both)
    await broker.start()
    one = client("both", broker.port)
    await one.connect()
    await until(lambda: len(one.got) == 2)
    assert [topic for topic, _, _ in one.got] == ["q/2", "q/1"]
    await one.disconnect()
    broker.stop()


async def test_a_broker_that_goes_silent_is_left():
    async def accept_and_be_silent(reader, writer):
        await reader.read(200)
        writer.write(mqtt_server.connack(False, 0))
        await writer.drain()
        while await reader.read(100):
            pass

    broker = Broker(accept_and_be_silent)
    await broker.start()
    one = client("silent", broker.port, keepalive=1)
    await one.connect()
    sent = one.send("a", b"b", False, 1)
    assert one.up and sent == 1
    await until(lambda: not one.up, 8000)
    broker.stop()


async def test_a_black_hole_blocks_nobody():
    async def say_nothing(reader, writer):
        while await reader.read(100):
            pass

    broker = Broker(say_nothing)
    await broker.start()
    one = client("hole", broker.port)
    task = asyncio.create_task(one.run())
    await until(lambda: broker.connections == 1)
    turns = 0
    while turns < 100:  # the loop stays free: a reader would get its turns
        await asyncio.sleep_ms(1)
        turns += 1
    assert not one.up
    task.cancel()
    one._task.cancel()
    broker.stop()


async def test_garbage_from_a_broker_ends_the_connection_only():
    for garbage in (b"\x00\x00", b"\x30\xff\xff\xff\xff\x01", b"\x20\x05\0\0\0\0\0", b"\xf0\x00"):

        async def spoil(reader, writer):
            await reader.read(200)
            writer.write(mqtt_server.connack(False, 0) + garbage)
            await writer.drain()
            await reader.read(1)

        broker = Broker(spoil)
        await broker.start()
        one = client("garbage", broker.port)
        try:
            await one.connect()
        except OSError:
            pass
        await until(lambda: not one.up)
        broker.stop()


async def test_a_peer_that_floods_and_never_reads_ends_the_connection_only():
    packet = mqtt.publish("a/b", b"c" * 1000, 1, False, False, 9)
    failures = []

    async def flood(reader, writer):
        await reader.read(200)
        writer.write(mqtt_server.connack(False, 0))
        while True:
            writer.write(packet)
            await writer.drain()

    broker = Broker(flood)
    await broker.start()
    asyncio.get_event_loop().set_exception_handler(lambda _loop, said: failures.append(said))
    one = client("flooded", broker.port)
    one.set_callback(lambda topic, msg, retained, dup: one.send("c/d", b"e" * 4000))
    await one.connect()
    await until(lambda: not one.up, 8000)
    await asyncio.sleep_ms(300)
    assert not [said for said in failures if isinstance(said["exception"], RuntimeError)]
    broker.stop()


async def test_packets_may_come_in_any_pieces():
    packet = mqtt.publish("a/b", b"c" * 300, 1, False, False, 9)
    for size in (1, 2, 7, 299):

        async def drip(reader, writer):
            await reader.read(200)
            stream = mqtt_server.connack(False, 0) + packet + packet
            for at in range(0, len(stream), size):
                writer.write(stream[at : at + size])
                await writer.drain()
                await asyncio.sleep_ms(0)
            await reader.read(1)
            await asyncio.sleep_ms(50)

        broker = Broker(drip)
        await broker.start()
        one = client("pieces", broker.port)
        await one.connect()
        await until(lambda: len(one.got) == 2)
        assert one.got[0] == ("a/b", b"c" * 300, False)
        await one.disconnect()
        broker.stop()


async def test_run_comes_back_after_a_broken_connection():
    ups = []
    one = client("back")
    task = asyncio.create_task(one.run(lambda: ups.append(1)))
    await until(lambda: len(ups) == 1)
    one._transport.close()
    one._task.cancel()
    await until(lambda: len(ups) == 2, 5000)
    await one.publish("x", b"y", False, 1)
    task.cancel()
    await one.disconnect()
