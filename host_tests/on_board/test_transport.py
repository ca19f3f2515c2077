# The connection under the client: what an ESP32 says instead of "not yet", and Nagle switched off.

import asyncio

from scripted_broker import Script
from support import raises

from doorward_node import transport


class Stream:
    # Says these one after the other: an error is raised, a number returned.
    def __init__(self, *sayings):
        self._sayings = list(sayings)

    def readinto(self, buffer):
        return self.say()

    def write(self, data):
        return self.say()

    def say(self):
        said = self._sayings.pop(0)
        if isinstance(said, OSError):
            raise said
        return said


class Socket:
    # refusal: what connect() raises.
    def __init__(self, refusal):
        self.refusal = refusal
        self.said = []
        self.closed = False

    def setblocking(self, blocking):
        self.said.append(("blocking", blocking))

    def setsockopt(self, level, option, value):
        self.said.append((level, option, value))

    def connect(self, address):
        self.said.append(address)
        if self.refusal:
            raise OSError(self.refusal)

    def close(self):
        self.closed = True


class Sockets:
    SOCK_STREAM = 1

    def __init__(self, refusal):
        self.made = Socket(refusal)

    def socket(self):
        return self.made

    def getaddrinfo(self, host, port, family, kind):
        return [(2, kind, 0, "", (host, port))]


class Core:
    class _io_queue:  # noqa: N801 - as in asyncio.core
        queue_write = queue_read = lambda _sock: None


def connecting(refusal):
    # (its socket, the generator) of a connection that is under way.
    real = transport.socket, transport.core
    transport.socket, transport.core = Sockets(refusal), Core
    try:
        going = transport.connect("192.168.1.20", 8883)
        try:
            next(going)
        except OSError:
            going = None
        return transport.socket.made, going
    finally:
        transport.socket, transport.core = real


def test_under_way_is_no_failure_on_any_port():
    for number in (0, 115, 118, 119):
        sock, going = connecting(number)
        assert going, number
        assert not sock.closed


def test_a_refused_connection_is_one_and_leaves_no_socket():
    for number in (104, 111, 113):
        sock, going = connecting(number)
        assert not going and sock.closed, number


def test_nothing_waits_for_the_peers_acknowledgement():
    sock, _going = connecting(115)
    assert (6, 1, 1) in sock.said
    assert sock.said[-1] == ("192.168.1.20", 8883)


async def test_reading_waits_where_an_esp32_says_busy():
    async def talk(peer):
        await peer.say(b"something, so that the wait is short")
        await peer.gone()

    script = await Script(talk).start()
    opened = await transport.connect("127.0.0.1", script.port)
    busy = Stream(None, OSError(118), OSError(119), None, 5)
    assert await transport.Transport(opened.sock, busy).readinto(bytearray(8)) == 5
    try:
        await transport.Transport(opened.sock, Stream(OSError(104))).readinto(bytearray(8))
        raise AssertionError("a reset connection was waited for")
    except OSError as error:
        assert error.errno == 104
    opened.close()
    await asyncio.sleep_ms(20)
    script.stop()


def test_a_busy_socket_takes_nothing_and_stays_open():
    made = transport.Transport(None, Stream(OSError(118), OSError(119), None, 3))
    assert [made.write(b"abc") for _ in range(4)] == [0, 0, 0, 3]
    raises(OSError, transport.Transport(None, Stream(OSError(32))).write, b"abc")
