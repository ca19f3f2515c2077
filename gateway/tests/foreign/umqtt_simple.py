# umqtt.simple itself, as every ESP32 comes with it: keep-alive 0, one call at a time.
# Runs on MicroPython, with umqtt on its path: CLIENT SECRET-FILE PORT TOPIC COUNT in sys.argv[1:].

import sys

from umqtt.simple import MQTTClient

NAME, SECRET, PORT, TOPIC, COUNT = sys.argv[1:6]

with open(SECRET) as file:  # noqa: PTH123 - MicroPython has no pathlib
    secret = file.read()
count = int(COUNT)
heard = []


def client(clean):
    made = MQTTClient(NAME, "127.0.0.1", int(PORT), NAME, secret)
    made.set_callback(lambda topic, payload: heard.append((topic, payload)))
    made.set_last_will(TOPIC + "/will", "gone", retain=True, qos=1)
    return made, made.connect(clean_session=clean)


one, present = client(False)
assert not present, present
one.subscribe(TOPIC + "/#", 1)
for number in range(count):
    one.publish(TOPIC + "/a", b"%d" % number, qos=number % 2)
while len(heard) < count:
    one.wait_msg()
assert heard == [((TOPIC + "/a").encode(), b"%d" % number) for number in range(count)], heard
# A whole PUBLISH comes in pieces of its own; the longest of these is above one TCP segment.
one.publish(TOPIC + "/long", b"x" * 40000, qos=1)
while len(heard) == count:
    one.wait_msg()
assert heard[-1] == ((TOPIC + "/long").encode(), b"x" * 40000)
one.ping()
assert one.wait_msg() is None
one.publish(TOPIC + "/kept", "until tomorrow", retain=True, qos=1)
while len(heard) == count + 1:
    one.wait_msg()
one.disconnect()

one, present = client(False)
assert present == 1, present
heard.clear()
one.subscribe(TOPIC + "/kept", 0)
while not heard:
    one.wait_msg()
assert heard == [((TOPIC + "/kept").encode(), b"until tomorrow")], heard
print("heard", count)
one.sock.close()  # without a goodbye: its will is due
