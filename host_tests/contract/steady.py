# A client that publishes to itself at QoS 1 and 2, whatever becomes of its broker: PORT in sys.argv.
# Says what happens, a line each: up, down, acked QOS NUMBER, lost QOS NUMBER, got QOS NUMBER, and
# stall MS, the longest time that the loop stood still.

import asyncio
import sys
from time import ticks_diff, ticks_ms

sys.path.insert(0, sys.argv[2])

from doorward_node.client import MQTTClient

one = MQTTClient("steady", "127.0.0.1", int(sys.argv[1]), "sam", "73616d" + "5" * 58, 2)
one.ack_ms = 3000
one.set_callback(lambda topic, msg, retained, dup: print("got", topic[-1], msg.decode()))
one.subscribe_later("school/steady/+", 2)


async def publish(qos):
    number = 0
    while True:
        number += 1
        try:
            await one.publish("school/steady/%d" % qos, str(number), False, qos)
            print("acked", qos, number)
        except OSError:
            print("lost", qos, number)
        await asyncio.sleep_ms(30)


async def watch():
    was, last, stall = False, ticks_ms(), 0
    while True:
        await asyncio.sleep_ms(5)
        now = ticks_ms()
        if ticks_diff(now, last) > stall:
            stall = ticks_diff(now, last)
            print("stall", stall)
        last = now
        if was != one.up:
            was = one.up
            print("up" if was else "down")


async def main():
    tasks = [asyncio.create_task(one.run()), asyncio.create_task(watch())]
    await asyncio.gather(publish(1), publish(2), *tasks)


asyncio.run(main())
