# The broker's name, looked up without stopping the door.
#
# socket.getaddrinfo stops everything until DNS has answered, and with a server that is silent that
# is longer than the watchdog waits. Here the question is a datagram, and the loop has its turns.
# Names in .local are asked of everybody around (mDNS, RFC 6762, 5.1), others of the network's own
# server. Who forges the answer gains nothing: the broker still has to prove who it is (TLS).
#
# The address is kept, on flash too: a door that starts while DNS is down finds its broker.

import asyncio
import socket

from doorward_core.compat import const, urandom
from doorward_node import files

_PORT = const(53)
_MDNS = ("224.0.0.251", 5353)
_TRIES = const(3)
_LOOK_MS = const(20)
_LOOKS = const(40)
_LARGEST = const(512)
_HEADER = const(12)


class Names:
    # path: where the address is kept. server: (host, port) of a DNS server; None: whom the network
    # names, or mDNS.
    def __init__(self, name, path=None, server=None):
        self.name = name
        self._path = path
        self._server = server
        kept = files.read(path) if path else None
        # A board may be given another broker: the name stands before the four bytes.
        self.known = _text(kept[-4:]) if kept and kept[:-4] == name.encode() else ""

    async def address(self, doubtful=False):
        # The IPv4 address. doubtful: the one known has failed again and again, so it is looked up
        # once more. Raises OSError when none is known and nobody answers.
        if not self.known or doubtful:
            try:
                found = await look_up(self.name, self._server or _whom(self.name))
            except OSError:
                if not self.known:
                    raise
                found = self.known
            if found != self.known:
                self.known = found
                self._keep()
        return self.known

    def _keep(self):
        if self._path:
            try:
                octets = bytes([int(part) for part in self.known.split(".")])
                files.replace(self._path, self.name.encode() + octets)
            except OSError:
                pass  # looked up again after the next start


def _whom(name):
    if name.endswith(".local"):
        return _MDNS
    import network

    return network.WLAN(network.STA_IF).ifconfig()[3], _PORT


async def look_up(name, server):
    # The address as a text. Raises OSError if nobody says one within 2.4 s.
    question = b""
    for label in name.split("."):
        question += bytes((len(label),)) + label.encode()
    question += b"\0\0\1\0\1"  # an address, on the Internet
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        where = socket.getaddrinfo(server[0], server[1], 0, socket.SOCK_DGRAM)[0][-1]
        for _ in range(_TRIES):
            number = urandom(2)
            sock.sendto(number + b"\1\0\0\1\0\0\0\0\0\0" + question, where)
            for _ in range(_LOOKS):
                await asyncio.sleep_ms(_LOOK_MS)
                found = _received(sock, number, question)
                if found:
                    return found
    finally:
        sock.close()
    raise OSError(name + ": nobody knows its address")


def _received(sock, number, question):
    # The address in an answer that has come; None if none has.
    try:
        answer = sock.recv(_LARGEST)
    except OSError:
        return None  # nothing yet, or nobody listens there
    if answer[:2] != number or answer[_HEADER : _HEADER + len(question)] != question:
        return None
    try:
        return _first_address(answer, _HEADER + len(question))
    except IndexError:
        return None


def _first_address(answer, at):
    # RFC 1035, 4.1.3: past names and other records to the first address, "" if it is cut short;
    # None if there is none. Raises IndexError.
    for _ in range(answer[6] << 8 | answer[7]):
        while answer[at] and answer[at] < 192:
            at += answer[at] + 1
        at += 2 if answer[at] else 1
        size = answer[at + 8] << 8 | answer[at + 9]
        if answer[at] << 8 | answer[at + 1] == 1 and size == 4:
            return _text(answer[at + 10 : at + 14])
        at += 10 + size
    return None


def _text(octets):
    # "192.168.1.20"; "" for anything but four bytes.
    return ".".join([str(octet) for octet in octets]) if len(octets) == 4 else ""
