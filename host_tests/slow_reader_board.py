# A board's link to a broker that reads slowly, over TLS: slow_reader_board.py FIRMWARE PORT TLS-FOLDER.

import asyncio
import sys

sys.path[:0] = [sys.argv[1]]

from doorward_node.link import Link  # noqa: E402
from doorward_node.tls_transport import Tls  # noqa: E402

_PACKETS = 400


async def main():
    link = Link("front", "127.0.0.1", int(sys.argv[2]), ssl=Tls(sys.argv[3], "doorward-broker"))
    running = asyncio.create_task(link.run())
    while not link.up:
        await asyncio.sleep_ms(1)
    link._transport.sock.setsockopt(1, 7, 4096)  # SO_SNDBUF
    refused = 0
    for number in range(_PACKETS):
        link.send("t", bytes([number % 251]) * (number * 37 % 1500))
        refused += bool(link._unsent)
        while len(link._unsent) > 2000:
            await asyncio.sleep_ms(1)
    while link._unsent:
        await asyncio.sleep_ms(1)
    print("refused", refused)
    running.cancel()


asyncio.run(main())
