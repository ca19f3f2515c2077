"""TLS handshakes that never end, are many, or come from strangers: what each costs, and whom it keeps waiting."""

import asyncio
import contextlib
import socket
import ssl
import tracemalloc
from pathlib import Path

import pytest
from broker_support import Client, secret
from secure_stage import PATIENCE, staged

from doorward.broker import Limits
from doorward.broker.connections import addresses
from doorward_core import mqtt


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_who_never_finishes_the_handshake_is_closed_counted_and_forgotten(tmp_path):
    async with staged(tmp_path, Limits(connect_within=0.5)) as stage:
        good = stage.certified("front")
        before = _open_files()
        tasks = len(asyncio.all_tasks())
        silent = [await asyncio.open_connection("127.0.0.1", stage.port) for _ in range(20)]
        plain = await Client.open(stage.port)
        plain.write(mqtt.connect("front", 30, True, "front", secret("front"), None))
        for _ in range(20):
            gone = socket.create_connection(("127.0.0.1", stage.port))
            gone.close()
        # All of them at the same time do not keep the rightful one out.
        assert await stage.answer(good, "front") == mqtt.ACCEPTED
        await stage.until_failed(41)
        for reader, _ in silent:
            with contextlib.suppress(ConnectionError):
                assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        assert await plain.is_closed()
        for _, writer in silent:
            writer.close()
        await plain.drop()
        async with asyncio.timeout(PATIENCE):
            while _open_files() > before or len(asyncio.all_tasks()) > tasks:  # noqa: ASYNC110 - ditto
                await asyncio.sleep(0.01)
        assert stage.failed == 41
        assert stage.site.denials == []


async def test_a_stranger_costs_little_memory_and_a_crowd_of_them_few_words(tmp_path, caplog):
    caplog.set_level("INFO")
    async with staged(tmp_path) as stage:
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            silent = [await asyncio.open_connection("127.0.0.1", stage.port) for _ in range(50)]
            for _, writer in silent:
                writer.write(b"\x16\x03\x01\x02\x00\x01")
            await asyncio.sleep(0.2)
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        # Both ends are ours here, and the streams of this end have their share.
        assert (after - before) / 50 < 64 * 1024
        for _, writer in silent:
            writer.write(b"no TLS at all" * 100)
            writer.close()
        await stage.until_failed(50)
    told = [line for line in caplog.messages if "no TLS" in line]
    assert 20 <= len(told) <= 25
    assert "more before it" not in told[0]


async def test_handshakes_count_among_connections(tmp_path):
    async with staged(tmp_path, Limits(connections=3)) as stage:
        silent = [await asyncio.open_connection("127.0.0.1", stage.port) for _ in range(3)]
        await asyncio.sleep(0.05)
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        assert stage.failed == 1
        for _, one in [*silent, (reader, writer)]:
            one.close()


async def test_one_address_does_not_take_all_handshakes(tmp_path, monkeypatch):
    monkeypatch.setattr(addresses, "_key", lambda host: host)
    async with staged(tmp_path, Limits(handshakes_per_address=2)) as stage:
        context = stage.certified("front")
        silent = [await asyncio.open_connection("127.0.0.1", stage.port) for _ in range(2)]
        await asyncio.sleep(0.05)
        assert await stage.is_shut_out(context)
        elsewhere = await Client.open(stage.port, context, source="127.0.0.2")
        await elsewhere.connect("front")
        for _, writer in silent:
            writer.close()
        await stage.until_failed(3)
        assert await stage.answer(context, "front") == mqtt.ACCEPTED
        await elsewhere.drop()


async def test_who_has_all_its_connections_begins_no_handshake(tmp_path, monkeypatch):
    monkeypatch.setattr(addresses, "_key", lambda host: host)
    async with staged(tmp_path, Limits(connections_per_address=1)) as stage:
        context = stage.certified("front")
        client = await Client.open(stage.port, context)
        await client.connect("front")
        assert await stage.is_shut_out(context)
        assert stage.failed == 1
        await client.drop()


async def test_a_connect_that_comes_with_the_last_word_of_the_handshake_is_heard(tmp_path):
    async with staged(tmp_path) as stage:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        heard, said = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = stage.certified("front")
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        peer = context.wrap_bio(heard, said, server_hostname="doorward-broker")
        while True:
            try:
                peer.do_handshake()
                break
            except ssl.SSLWantReadError:
                writer.write(said.read())
                heard.write(await reader.read(65536))
        peer.write(mqtt.connect("front", 30, True, "front", secret("front"), None))
        writer.write(said.read())  # both in one piece
        heard.write(await asyncio.wait_for(reader.read(65536), PATIENCE))
        assert peer.read(4) == bytes((mqtt.CONNACK << 4, 2, 0, mqtt.ACCEPTED))
        writer.close()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "it speaks HTTP; this port is for MQTT"),
        (mqtt.connect("front", 0, True, None, None, None), "it speaks no TLS; MQTT without TLS is"),
        (b"", "it hung up"),
    ],
)
async def test_why_there_is_no_tls_is_told_in_our_words(tmp_path, caplog, said, told):
    caplog.set_level("INFO")
    async with staged(tmp_path) as stage:
        _, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.write(said)
        writer.close()
        await stage.until_failed(1)
    [line] = [line for line in caplog.messages if "no TLS" in line]
    assert told in line
    assert "_ssl.c" not in line
