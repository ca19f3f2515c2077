# More publishes than there are packet identifiers, one of them in flight all the time: ODD_PORT.

import asyncio
import os

from doorward_node.client import MQTTClient

COUNT = 66_000
AT_ONCE = 20


async def test_identifiers_run_through_their_wrap_and_pass_over_the_one_in_flight():
    one = MQTTClient("holds", "127.0.0.1", int(os.getenv("ODD_PORT")))
    one.ack_ms = 600_000
    got = []
    one.set_callback(lambda topic, msg, retained, dup: got.append(msg))
    await one.connect()
    held = asyncio.create_task(one.publish("hold", b"", False, 1))
    await asyncio.sleep_ms(20)

    async def publish(count):
        for _ in range(count):
            await one.publish("a", b"", False, 1)

    await asyncio.gather(*[publish(COUNT // AT_ONCE) for _ in range(AT_ONCE)])
    await one.publish("report", b"", False, 1)
    while not got:
        await asyncio.sleep_ms(5)
    assert got == [b"66002 messages, 65535 identifiers from 1 to 65535, held 1"], got
    assert not held.done()
    held.cancel()
    await one.disconnect()
