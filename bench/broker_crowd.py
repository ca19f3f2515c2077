"""Many clients at once, each from an address of its own as boards come: connect and subscribe, then stay a while."""

import asyncio
import ssl
import sys
import time
from pathlib import Path
from typing import Any

from broker_client import PATIENCE_S, Broken, mqtt

HOST = "doorward-broker"  # as bench/broker_certificates.py names the server
_CROWD_S = 6 * PATIENCE_S  # people have passwords, and each takes a while to check


class Member(asyncio.Protocol):
    """Says CONNECT, then SUBSCRIBE; `settled` is done at the SUBACK, or fails with what came instead."""

    def __init__(self, client: str, user: str, secret: str, topic_filter: str) -> None:
        self._connect = mqtt.connect(client, 0, True, user, secret)
        self._subscribe = mqtt.subscribe(1, [(topic_filter, 1)])
        self._data = b""
        self.settled = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        transport.write(self._connect)

    def data_received(self, data: bytes) -> None:
        before, self._data = len(self._data), self._data + data
        if before < 4 <= len(self._data):
            if self._data[:4] != b"\x20\x02\x00\x00":
                self._fail(f"CONNACK {self._data.hex()}")
            self._transport.write(self._subscribe)
        if len(self._data) == 9 and not self.settled.done():
            if self._data[4:] != b"\x90\x03\x00\x01\x01":
                self._fail(f"SUBACK {self._data[4:].hex()}")
            else:
                self.settled.set_result(time.monotonic())

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the broker closed the connection ({exc})")

    def close(self) -> None:
        self._transport.abort()

    def _fail(self, why: str) -> None:
        if not self.settled.done():
            self.settled.set_exception(Broken(why))


def crowd(order: dict[str, Any]) -> dict[str, Any]:
    """Seconds from the first connection to the last SUBACK; stays until a line comes on stdin if `stay` says so."""
    return asyncio.run(_crowd(order))


async def _crowd(order: dict[str, Any]) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    contexts = [_context(order, client) for client, *_ in order["members"]]
    members: list[Member] = []

    turns = asyncio.Semaphore(order["at_once"])

    async def join(number: int, *who: str) -> float:
        context = contexts[number]
        source = f"127.1.{number >> 8}.{number & 255}"
        async with turns:
            _, member = await loop.create_connection(
                lambda: Member(*who),
                "127.0.0.1",
                order["port"],
                ssl=context,
                server_hostname=HOST if context else None,
                ssl_handshake_timeout=_CROWD_S if context else None,
                local_addr=(source, 0),
            )
            members.append(member)
            return await member.settled

    begin, cpu = time.monotonic(), time.process_time()
    joining = [join(number, *member) for number, member in enumerate(order["members"])]
    async with asyncio.timeout(_CROWD_S):
        settled = await asyncio.gather(*joining, return_exceptions=True)
    took = time.monotonic() - begin
    refused = [one for one in settled if isinstance(one, BaseException)]
    found = {
        "value": max(one for one in settled if isinstance(one, float)) - begin,
        "cpu": (time.process_time() - cpu) / took,
        "refused": len(refused),
        "why": str(refused[0]) if refused else "",
    }
    if order["stay"]:
        print("there", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
    for member in members:
        member.close()
    return found


def _context(order: dict[str, Any], name: str) -> ssl.SSLContext | None:
    if not order.get("certificates"):
        return None
    context = ssl.create_default_context(cafile=str(Path(order["certificates"], "ca.pem")))
    context.load_cert_chain(Path(order["certificates"], f"{name}.pem"))
    return context
