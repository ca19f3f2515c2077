"""MQTT inside WebSocket messages: what works on a socket works there, and what a browser must not do it cannot."""

import asyncio
import contextlib
import socket
from dataclasses import replace
from typing import cast

import paho.mqtt.client as paho
import pytest
from broker_support import PATIENCE, secret, topic
from websocket_stage import (
    CONTROL,
    EVENTS,
    OURS,
    code_of,
    hello,
    packets,
    staged,
    until_nobody_is_connected,
)
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode

from doorward.broker import Limits
from doorward_core import mqtt, topics


@pytest.mark.parametrize("size", [1, 7, 4096])
async def test_packets_may_be_cut_into_frames_anywhere(tmp_path, size):
    async with staged(tmp_path) as stage, stage.open() as link:
        said = hello("front") + mqtt.publish(EVENTS, b"x" * 300, 1, False, False, 5)
        said += mqtt.subscribe(6, [(CONTROL, 1)])
        for at in range(0, len(said), size):
            await link.send(said[at : at + size])
        kinds = [kind for kind, _, _ in await packets(link, 3)]
        assert kinds == [mqtt.CONNACK, mqtt.PUBACK, mqtt.SUBACK]
        assert link.subprotocol == "mqtt"
        async with stage.site.client("gateway") as gateway:
            await gateway.publish(CONTROL, b"hello")
            [(kind, flags, body)] = await packets(link, 1)
            assert (kind, mqtt.parse_publish(flags, body)[2]) == (mqtt.PUBLISH, b"hello")


async def test_one_message_of_many_fragments_is_no_different(tmp_path):
    async with staged(tmp_path) as stage, stage.open() as link:
        await link.send([hello("front")[:9], hello("front")[9:], mqtt.pingreq()])
        assert [kind for kind, _, _ in await packets(link, 2)] == [mqtt.CONNACK, mqtt.PINGRESP]


async def test_goodbye_on_either_level_is_answered_and_the_will_is_left_to_mqtt(tmp_path):
    async with staged(tmp_path) as stage, stage.site.client("gateway") as gateway:
        offline = topic("front", topics.OFFLINE)
        await gateway.subscribe(offline)
        async with stage.open() as link:
            await link.send(hello("front", will=(offline, b"gone", False, 1)))
            await packets(link, 1)
            await link.send(mqtt.disconnect())
            assert await code_of(link) == 1000
        assert await gateway.messages() == []
        async with stage.open() as link:
            await link.send(hello("front", will=(offline, b"gone", False, 1)))
            await packets(link, 1)
            await link.close(1001)  # a page that is left
            assert link.close_code == 1001
        assert (await gateway.message()).payload == b"gone"


@pytest.mark.parametrize(
    ("origin", "accepted"),
    [
        (None, True),
        (OURS, True),
        ("own", True),
        ("https://evil.example", False),
        ("https://door.example", False),  # the same machine, another port
        ("https://door.example:8080.evil.example", False),
        ("null", False),
    ],
)
async def test_a_browser_comes_only_from_a_page_that_may(tmp_path, origin, accepted):
    async with staged(tmp_path) as stage:
        if origin == "own":
            origin = f"https://127.0.0.1:{stage.site.broker.websocket_port}"
        if accepted:
            async with stage.open(origin=origin) as link:
                await link.send(hello("front"))
                assert (await packets(link, 1))[0][2][1] == mqtt.ACCEPTED
        else:
            with pytest.raises(InvalidStatus) as refused:
                async with stage.open(origin=origin):
                    pass
            assert refused.value.response.status_code == 403
        await until_nobody_is_connected(stage.site)


@pytest.mark.parametrize("offered", [None, ["mqttv5"], ["chat"]])
async def test_who_does_not_offer_mqtt_is_told_so(tmp_path, offered):
    async with staged(tmp_path) as stage:
        with pytest.raises(InvalidStatus) as refused:
            async with stage.open(subprotocols=offered):
                pass
        assert refused.value.response.status_code == 400
        await until_nobody_is_connected(stage.site)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 426"),
        (b"POST / HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 405"),
        (b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00", b""),  # MQTT without a WebSocket
        (b"GET /" + b"a" * 20_000, b""),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"x-%d: y\r\n" % n for n in range(2000)), b""),
    ],
)
async def test_what_is_no_websocket_is_refused_and_forgotten(tmp_path, said, answer):
    async with staged(tmp_path) as stage, stage.raw() as (reader, writer):
        writer.write(said)
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionError):
                assert (await reader.read()).startswith(answer)
        await until_nobody_is_connected(stage.site)


async def test_text_frames_are_refused_with_their_code(tmp_path):
    async with staged(tmp_path) as stage, stage.open() as link:
        await link.send(hello("front"))
        await packets(link, 1)
        await link.send("text")
        assert await code_of(link) == 1003


async def test_mqtt_that_is_none_ends_the_connection_and_no_other(tmp_path):
    async with staged(tmp_path) as stage, stage.open() as link, stage.open() as other:
        await other.send(hello("back"))
        await packets(other, 1)
        await link.send(hello("front") + hello("front"))
        assert await code_of(link) == 1000
        await other.send(mqtt.pingreq())
        assert (await packets(other, 1))[0][0] == mqtt.PINGRESP


async def test_nobody_unknown_makes_us_hold_much_and_nobody_more_than_a_packet(tmp_path):
    limits = replace(Limits(), packet=20_000)
    async with staged(tmp_path, limits) as stage:
        large = mqtt.publish(EVENTS, b"x" * 19_000, 1, False, False, 5)
        async with stage.raw() as (reader, writer):
            writer.write(_upgrade())
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
            # A frame that says it will be 20,000 bytes; half of them are enough.
            writer.write(Frame(Opcode.BINARY, b"\x10" * 20_000).serialize(mask=True)[:10_000])
            async with asyncio.timeout(PATIENCE):
                with contextlib.suppress(ConnectionError):
                    await reader.read()
            await until_nobody_is_connected(stage.site)
        async with stage.open() as link:
            await link.send(hello("front"))
            await packets(link, 1)
            await link.send(large)
            assert (await packets(link, 1))[0][0] == mqtt.PUBACK
            await link.send(b"\0" * 20_006)
            assert await code_of(link) == 1009


async def test_pings_are_answered(tmp_path):
    async with staged(tmp_path) as stage, stage.open() as link:
        async with asyncio.timeout(PATIENCE):
            await (await link.ping())


async def test_who_pings_and_never_reads_is_dropped(tmp_path):
    limits = replace(Limits(), unread=65_536)
    async with staged(tmp_path, limits) as stage, stage.raw() as (reader, writer):
        writer.write(_upgrade() + Frame(Opcode.BINARY, hello("front")).serialize(mask=True))
        await reader.readuntil(b"\r\n\r\n")
        cast(asyncio.Transport, writer.transport).pause_reading()
        ping = Frame(Opcode.PING, b"x" * 125).serialize(mask=True) * 500
        async with asyncio.timeout(30):
            with contextlib.suppress(ConnectionError):
                while stage.site.broker.status().connections:
                    writer.write(ping)
                    await writer.drain()
                    await asyncio.sleep(0)
        await until_nobody_is_connected(stage.site)


async def test_a_slow_reader_holds_nobody_up(tmp_path):
    limits = replace(Limits(), unread=200_000)
    async with staged(tmp_path, limits) as stage, stage.raw() as (reader, writer):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        said = hello("front", clean=False) + mqtt.subscribe(6, [(CONTROL, 1)])
        writer.write(_upgrade() + Frame(Opcode.BINARY, said).serialize(mask=True))
        await reader.readuntil(b"\r\n\r\n")
        cast(asyncio.Transport, writer.transport).pause_reading()
        async with stage.site.client("gateway") as gateway:
            async with asyncio.timeout(30):
                for _ in range(200):
                    await gateway.publish(CONTROL, b"x" * 100_000)
        # What is in flight is bounded, the rest waits in the session's queue.
        assert stage.site.broker.status().unsettled > 0


async def test_silence_is_ended_before_and_after_the_upgrade(tmp_path):
    limits = replace(Limits(), connect_within=0.2)
    async with staged(tmp_path, limits) as stage, stage.raw(), stage.open() as link:
        assert stage.site.broker.status().connections == 2
        assert await code_of(link) == 1000
        await until_nobody_is_connected(stage.site)


async def test_whoever_has_a_certificate_has_to_show_it_here_too(tmp_path):
    async with staged(tmp_path, bound=("front",)) as stage:
        async with stage.open() as link:
            await link.send(hello("front"))
            assert (await packets(link, 1))[0][2][1] == mqtt.NOT_AUTHORISED
            assert await code_of(link) == 1000
        async with stage.open() as link:
            await link.send(hello("back"))
            assert (await packets(link, 1))[0][2][1] == mqtt.ACCEPTED


async def test_there_is_room_for_so_many_only(tmp_path):
    limits = replace(Limits(), connections=1)
    async with staged(tmp_path, limits) as stage, stage.open() as link:
        await link.send(hello("front"))
        await packets(link, 1)
        with pytest.raises((OSError, EOFError, ConnectionClosed, InvalidStatus)):
            async with asyncio.timeout(PATIENCE), stage.open():
                pass
        await link.send(mqtt.pingreq())
        assert (await packets(link, 1))[0][0] == mqtt.PINGRESP


async def test_paho_speaks_through_it(tmp_path):
    async with staged(tmp_path) as stage, stage.site.client("gateway") as gateway:
        client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id="front", transport="websockets"
        )
        client.tls_set_context(stage.trusting)
        client.tls_insecure_set(True)  # its own option for another name; the CA is checked
        client.username_pw_set("front", secret("front"))
        heard: asyncio.Queue[bytes] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        client.on_message = lambda _client, _data, message: loop.call_soon_threadsafe(
            heard.put_nowait, bytes(message.payload)
        )
        client.on_connect = lambda *_: client.subscribe(CONTROL, 1)
        subscribed = asyncio.Event()
        client.on_subscribe = lambda *_: loop.call_soon_threadsafe(subscribed.set)
        await gateway.subscribe(EVENTS)
        await asyncio.to_thread(client.connect, "127.0.0.1", stage.site.broker.websocket_port)
        client.loop_start()
        try:
            await asyncio.wait_for(subscribed.wait(), PATIENCE)
            client.publish(EVENTS, b"from paho", 1)
            assert (await gateway.message()).payload == b"from paho"
            await gateway.publish(CONTROL, b"to paho")
            assert await asyncio.wait_for(heard.get(), PATIENCE) == b"to paho"
        finally:
            client.disconnect()
            await asyncio.to_thread(client.loop_stop)


def _upgrade() -> bytes:
    return (
        b"GET /mqtt HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Protocol: mqtt\r\n\r\n"
    )
