"""A peer that does no work, to know what the load itself can do: `broker_sink.py PORT`.

It answers by strides as no broker could, looks at nobody's name, and hands what one client publishes to the other one.
"""

import select
import socket
import sys

from broker_client import PAYLOAD, READ, mqtt, mqtt_server
from broker_packets import acks, runs


class Seat:
    """One of the two clients."""

    def __init__(self, sock: socket.socket, others: "list[Seat]") -> None:
        """`others` is everybody who is here."""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self._here = others
        self._rest = b""

    def turn(self) -> bool:
        """Answer what has come; False when the client has left."""
        data = self.sock.recv(READ)
        if not data:
            return False
        for kind, stride, run in runs(self._rest + data):
            if kind:
                answer = self._answer(kind, stride, run)
                if answer:
                    self.sock.sendall(answer)
            else:
                self._rest = run
        return True

    def _answer(self, kind: int, stride: int, run: bytes) -> bytes | bytearray | None:
        if kind == mqtt.CONNECT:
            return mqtt_server.connack(False, mqtt.ACCEPTED)
        if kind == mqtt.SUBSCRIBE:
            return mqtt_server.suback(1, [run[-1]])
        if kind == mqtt.DISCONNECT:
            self.sock.shutdown(socket.SHUT_WR)
            return None
        if kind == mqtt.PUBREC:
            return acks(mqtt.PUBREL, run, stride, 2)
        if kind == mqtt.PUBREL:
            return acks(mqtt.PUBCOMP, run, stride, 2)
        if kind != mqtt.PUBLISH:
            return None
        for other in self._here:
            if other is not self:
                other.sock.sendall(run)
        qos = run[0] >> 1 & 3
        kinds = (0, mqtt.PUBACK, mqtt.PUBREC)
        return acks(kinds[qos], run, stride, stride - PAYLOAD - 2) if qos else None


def main() -> None:
    """Serve for ever."""
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    here: list[Seat] = []
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                here.append(Seat(listener.accept()[0], here))
                poll.register(here[-1].sock, select.POLLIN)
                continue
            seat = next(one for one in here if one.sock.fileno() == number)
            if not seat.turn():
                here.remove(seat)
                poll.unregister(number)
                seat.sock.close()


if __name__ == "__main__":
    main()
