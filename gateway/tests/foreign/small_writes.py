# A client as the small ones on boards are: keep-alive 0, every packet in several writes, one call at a time.
# Runs on MicroPython: CLIENT SECRET-FILE PORT TOPIC COUNT in sys.argv[1:].

import socket
import struct
import sys

NAME, SECRET, PORT, TOPIC, COUNT = sys.argv[1:6]


class Client:
    def __init__(self, port):
        self.sock = socket.socket()
        self.sock.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
        self.last_id = 0
        self.heard = []

    def text(self, value):
        self.sock.write(struct.pack("!H", len(value)))
        self.sock.write(value)

    def head(self, first, size):
        packed = bytearray((first,))
        while size > 127:
            packed.append(size & 127 | 128)
            size >>= 7
        packed.append(size)
        self.sock.write(packed)

    def connect(self, name, secret):
        self.head(0x10, 10 + 2 + len(name) + 2 + len(name) + 2 + len(secret))
        self.sock.write(b"\x00\x04MQTT\x04\xc2\x00\x00")  # clean, name and password, keep-alive 0
        for value in (name, name, secret):
            self.text(value)
        answer = self.sock.read(4)
        assert answer == b"\x20\x02\x00\x00", answer

    def subscribe(self, topic):
        self.last_id += 1
        self.sock.write(b"\x82" + bytes((5 + len(topic),)) + struct.pack("!H", self.last_id))
        self.text(topic)
        self.sock.write(b"\x01")
        while self.wait() != 0x90:
            pass

    def publish(self, topic, payload):
        self.last_id += 1
        self.head(0x32, 2 + len(topic) + 2 + len(payload))
        self.text(topic)
        self.sock.write(struct.pack("!H", self.last_id))
        self.sock.write(payload)
        while self.wait() != 0x40:
            pass

    def ping(self):
        self.sock.write(b"\xc0\x00")
        while self.wait() != 0xD0:
            pass

    def wait(self):
        first = self.sock.read(1)[0]
        size = shift = 0
        while True:
            byte = self.sock.read(1)[0]
            size |= (byte & 127) << shift
            shift += 7
            if not byte & 128:
                break
        body = self.sock.read(size) if size else b""
        if first & 0xF0 == 0x30:
            at = 2 + struct.unpack("!H", body)[0]
            packet_id = body[at : at + 2]
            self.heard.append(body[at + 2 :])
            self.sock.write(b"\x40\x02")
            self.sock.write(packet_id)
        return first & 0xF0


with open(SECRET, "rb") as file:  # noqa: PTH123 - MicroPython has no pathlib
    secret = file.read()
client = Client(int(PORT))
client.connect(NAME.encode(), secret)
client.subscribe(TOPIC.encode())
count = int(COUNT)
for number in range(count):
    client.publish(TOPIC.encode(), b"%d" % number)
while len(client.heard) < count:
    client.wait()
client.ping()
assert client.heard == [b"%d" % number for number in range(count)], client.heard
client.sock.write(b"\xe0\x00")
client.sock.close()
print("heard", count)
