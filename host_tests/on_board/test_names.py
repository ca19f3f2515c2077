# The broker's name, looked up while the loop goes on: against a server of these tests' own.

import asyncio
import os
import socket

from scratch import folder

from doorward_node import connection, files
from doorward_node.client import MQTTClient
from doorward_node.names import Names, look_up

NAME = "gateway.example"
QUESTION = b"\x07gateway\x07example\0\0\1\0\1"
POINTER = b"\xc0\x0c"
PORT = int(os.getenv("BROKER_PORT"))


def record(kind, data, owner=POINTER):
    size = len(data).to_bytes(2, "big")
    return owner + kind.to_bytes(2, "big") + b"\0\1\0\0\0\x3c" + size + data


def answer(question, *records):
    return (
        question[:2] + b"\x81\x80\0\1\0" + bytes((len(records),)) + b"\0\0\0\0" + QUESTION
    ) + b"".join(records)


HERE = record(1, b"\x7f\0\0\1")


class Server:
    # say(question): the datagrams that answer it.
    def __init__(self, say):
        self.asked = []
        self._say = say
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for port in range(20000 + os.urandom(1)[0] * 100, 60000):
            try:
                self._sock.bind(socket.getaddrinfo("127.0.0.1", port)[0][-1])
                break
            except OSError:
                pass
        self.where = ("127.0.0.1", port)
        self._sock.setblocking(False)
        self._task = asyncio.create_task(self._run())

    async def _run(self):
        while True:
            await asyncio.sleep_ms(2)
            try:
                question, where = self._sock.recvfrom(512)
            except OSError:
                continue
            self.asked.append(question)
            for said in self._say(question):
                self._sock.sendto(said, where)

    def stop(self):
        self._task.cancel()
        self._sock.close()


async def found(say):
    # What a look-up against such a server says; None if it fails.
    server = Server(say)
    try:
        return await look_up(NAME, server.where)
    except OSError:
        return None
    finally:
        server.stop()


async def test_the_exact_question_and_its_answer():
    server = Server(lambda question: [answer(question, HERE)])
    assert await look_up(NAME, server.where) == "127.0.0.1"
    assert server.asked[0][2:] == b"\1\0\0\1\0\0\0\0\0\0" + QUESTION
    server.stop()


async def test_aliases_and_other_records_are_passed_over():
    alias = record(5, b"\x03box\xc0\x14")
    text = record(16, b"\x03abc", b"\x03box\x07example\0")
    six = record(28, bytes(16))
    assert await found(lambda question: [answer(question, alias, text, six, HERE)]) == "127.0.0.1"


async def test_what_is_no_answer_of_ours_is_none():
    def say(question):
        good = answer(question, HERE)
        other = bytes((question[0] ^ 1,)) + good[1:]
        elsewhere = good[:12] + b"\x07gateway\x07exomple" + good[28:]
        cut = [good[:size] for size in range(0, len(good), 3)]
        endless = answer(question, b"\x3f" * 40)
        return cut + [other, elsewhere, endless, answer(question), b"\xff" * 300]

    assert await found(say) is None
    assert await found(lambda question: say(question) + [answer(question, HERE)]) == "127.0.0.1"


async def test_a_lost_datagram_is_sent_again():
    lost = []

    def say(question):
        lost.append(question)
        return [answer(question, HERE)] if len(lost) == 3 else []

    assert await found(say) == "127.0.0.1"
    assert len(lost) == 3


async def test_the_loop_goes_on_while_nobody_answers():
    server = Server(lambda question: [])
    turns = [0]

    async def take_turns():
        while True:
            await asyncio.sleep_ms(5)
            turns[0] += 1

    others = asyncio.create_task(take_turns())
    try:
        await look_up(NAME, server.where)
        raise AssertionError("an address from nowhere")
    except OSError as error:
        assert NAME in str(error)
    others.cancel()
    assert turns[0] > 100, turns
    server.stop()


async def test_asked_once_and_again_only_in_doubt():
    server = Server(lambda question: [answer(question, HERE)])
    path = folder() + "/broker"
    names = Names(NAME, path, server.where)
    for _ in range(5):
        assert await names.address() == "127.0.0.1"
    assert len(server.asked) == 1
    assert await names.address(True) == "127.0.0.1"
    assert len(server.asked) == 2
    server.stop()
    # After a restart without any DNS, and with an address in doubt that nobody replaces.
    again = Names(NAME, path, server.where)
    assert await again.address() == "127.0.0.1"
    assert await again.address(True) == "127.0.0.1"
    assert Names("other.example", path, server.where).known == ""
    files.replace(path, b"\xff\xfe" + NAME.encode())
    assert Names(NAME, path, server.where).known == ""


def test_only_a_broker_with_a_name_is_looked_up():
    for host in ("192.168.1.20", "127.0.0.1"):
        assert connection._names(host, "") is None
    names = connection._names("gateway.local", folder())
    assert (names.name, names.known) == ("gateway.local", "")


async def test_a_broker_that_moved_is_found_after_failures():
    where = [b"\x7f\0\0\2"]  # nobody listens there
    server = Server(lambda question: [answer(question, record(1, where[0]))])
    one = MQTTClient("moved", NAME, PORT)
    one.names = Names(NAME, None, server.where)
    ups = []
    task = asyncio.create_task(one.run(lambda: ups.append(1)))
    while not server.asked:
        await asyncio.sleep_ms(5)
    where[0] = b"\x7f\0\0\1"
    for _ in range(1500):
        if ups:
            break
        await asyncio.sleep_ms(10)
    assert ups and one.names.known == "127.0.0.1"
    assert len(server.asked) == 2, len(server.asked)
    task.cancel()
    server.stop()
