"""Other people's clients: paho, and Mosquitto's command line tools."""

import asyncio
import queue
import shutil

import paho.mqtt.client as paho
import pytest
from broker_support import GATEWAY, PATIENCE, running_broker, secret, topic

from doorward_core import topics

EVENTS = topic("front", topics.EVENTS)
CONTROL = topic("front", topics.CONTROL)
REPORTED = topic("front", topics.REPORTED)


class Paho:
    """paho with its own thread, as the gateway would run against any broker."""

    def __init__(self, name, port, *, clean=True, manual_ack=False, protocol=paho.MQTTv311):
        self.messages = queue.SimpleQueue()
        self.codes = queue.SimpleQueue()
        self.client = paho.Client(
            paho.CallbackAPIVersion.VERSION2,
            client_id=name,
            clean_session=clean if protocol == paho.MQTTv311 else None,
            protocol=protocol,
            manual_ack=manual_ack,
        )
        self.client.username_pw_set(name, secret(name))
        self.client.on_connect = lambda *given: self.codes.put(given[3])
        self.client.on_message = lambda _client, _data, message: self.messages.put(message)
        self.port = port

    async def start(self):
        self.client.connect_async("127.0.0.1", self.port)
        self.client.loop_start()
        return await asyncio.to_thread(self.codes.get, timeout=PATIENCE)

    async def publish(self, *given, **options):
        info = self.client.publish(*given, **options)
        await asyncio.to_thread(info.wait_for_publish, PATIENCE)
        assert info.is_published()

    async def subscribe(self, *given):
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        self.client.on_subscribe = lambda *_: loop.call_soon_threadsafe(done.set)
        self.client.subscribe(*given)
        await asyncio.wait_for(done.wait(), PATIENCE)

    async def message(self):
        return await asyncio.to_thread(self.messages.get, timeout=PATIENCE)

    async def stop(self):
        self.client.disconnect()
        await asyncio.to_thread(self.client.loop_stop)


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_paho_publishes_and_receives(tmp_path, qos):
    async with running_broker(tmp_path) as site:
        gateway, front = Paho(GATEWAY, site.port), Paho("front", site.port)
        assert (await gateway.start()).value == 0
        assert (await front.start()).value == 0
        await gateway.subscribe("doorward/devices/+/telemetry/#", 2)
        for number in range(50):
            await front.publish(EVENTS, str(number), qos)
        got = [await gateway.message() for _ in range(50)]
        assert [int(message.payload) for message in got] == list(range(50))
        assert {message.qos for message in got} == {qos}
        await gateway.stop()
        await front.stop()


async def test_paho_with_manual_ack_gets_again_what_it_did_not_handle(tmp_path):
    async with running_broker(tmp_path) as site:
        gateway = Paho(GATEWAY, site.port, clean=False, manual_ack=True)
        await gateway.start()
        await gateway.subscribe(EVENTS, 1)
        front = Paho("front", site.port)
        await front.start()
        await front.publish(EVENTS, "handled", 1)
        await front.publish(EVENTS, "not handled", 1)
        first, second = await gateway.message(), await gateway.message()
        gateway.client.ack(first.mid, first.qos)
        await gateway.stop()
        await front.stop()
        again = Paho(GATEWAY, site.port, clean=False)
        await again.start()
        message = await again.message()
        assert (message.payload, message.dup, message.mid) == (b"not handled", True, second.mid)
        await again.stop()


async def test_paho_speaking_version_5_is_refused_cleanly(tmp_path):
    async with running_broker(tmp_path) as site:
        client = Paho("front", site.port, protocol=paho.MQTTv5)
        code = await client.start()
        assert code.is_failure
        assert not site.broker.connected()["front"]
        await client.stop()


async def mosquitto(tool, name, port, *arguments):
    process = await asyncio.create_subprocess_exec(
        tool,
        *("-h", "127.0.0.1", "-p", str(port), "-V", "mqttv311"),
        *("-i", name, "-u", name, "-P", secret(name)),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
    return process.returncode, output, errors


@pytest.mark.skipif(not shutil.which("mosquitto_pub"), reason="mosquitto-clients not installed")
async def test_mosquitto_tools(tmp_path):
    async with running_broker(tmp_path) as site:
        keeps = ("-c", "-q", "2", "-t", CONTROL)
        code, _, errors = await mosquitto("mosquitto_sub", "front", site.port, *keeps, "-E")
        assert code == 0, errors
        for qos in "012":
            publish = ("-q", qos, "-t", CONTROL, "-m", f"queued {qos}")
            code, _, errors = await mosquitto("mosquitto_pub", GATEWAY, site.port, *publish)
            assert code == 0, errors
        code, output, _ = await mosquitto("mosquitto_sub", "front", site.port, *keeps, "-C", "2")
        assert (code, output) == (0, b"queued 1\nqueued 2\n")

        state = ("-q", "1", "-r", "-t", REPORTED, "-m", "state")
        assert (await mosquitto("mosquitto_pub", "front", site.port, *state))[0] == 0
        watch = ("-t", "doorward/devices/+/status/#", "-v", "-C", "1", "--retained-only")
        code, output, _ = await mosquitto("mosquitto_sub", GATEWAY, site.port, *watch)
        assert (code, output) == (0, f"{REPORTED} state\n".encode())


@pytest.mark.skipif(not shutil.which("mosquitto_pub"), reason="mosquitto-clients not installed")
async def test_mosquitto_tools_are_refused_like_anybody(tmp_path):
    async with running_broker(tmp_path, ("front",)) as site:
        publish = ("-q", "1", "-t", EVENTS, "-m", "x")
        code, _, errors = await mosquitto("mosquitto_pub", "stranger", site.port, *publish)
        assert code != 0
        assert b"bad user name or password" in errors
        foreign = ("-t", "#", "-C", "1")
        code, output, errors = await mosquitto("mosquitto_sub", "front", site.port, *foreign)
        assert output == b""
        assert b"denied" in errors
