"""Bytes that a TLS connection did not take at once arrive all the same: each once, and in order."""

import base64
import socket
import subprocess
import sys
import time
from pathlib import Path

from firmware_copy import FIRMWARE, planted
from tls_witness import Issuer

from doorward_core import mqtt, mqtt_server, mqtt_stream

BOARD = Path(__file__).parents[1] / "slow_reader_board.py"
EXPECTED = [bytes([number % 251]) * (number * 37 % 1500) for number in range(400)]


def heard(folder: Path, firmware: Path) -> list[bytes]:
    """What a broker hears that leaves the board's socket full most of the time."""
    issuer = Issuer()
    for name, content in issuer.device("front").items():
        (folder / name).write_bytes(base64.b64decode(content))
    context = issuer.context(issuer.server(folder / "server.pem"))
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(10)
        interpreter = Path(sys.executable).with_name("micropython")
        arguments = [BOARD, firmware, str(listener.getsockname()[1]), folder]
        with subprocess.Popen([interpreter, *arguments], stdout=subprocess.PIPE) as board:
            try:
                payloads = _read_slowly(context.wrap_socket(listener.accept()[0], server_side=True))
                said, _ = board.communicate(timeout=10)
            finally:
                board.kill()
    # Otherwise this would prove nothing.
    assert int(said.split()[1]) > 20
    return payloads


def _read_slowly(peer: socket.socket) -> list[bytes]:
    peer.settimeout(5)
    decoder = mqtt_stream.Decoder(65536)
    payloads: list[bytes] = []
    with peer:
        peer.recv(4096)
        peer.sendall(mqtt_server.connack(False, 0))
        while len(payloads) < len(EXPECTED) and (data := peer.recv(1024)):
            packets = decoder.feed(data)
            payloads += [mqtt.parse_publish(flags, body)[2] for _, flags, body in packets]
            time.sleep(0.001)
    return payloads


def test_they_do(tmp_path: Path) -> None:
    assert heard(tmp_path, FIRMWARE) == EXPECTED


def test_a_mutant_that_offers_other_bytes_the_second_time_is_caught(tmp_path: Path) -> None:
    mutant = planted(tmp_path, "doorward_node/tls_transport.py", "if self._owed:", "if False:")
    try:
        arrived = heard(tmp_path, mutant)
    except (OSError, mqtt.MqttError, subprocess.TimeoutExpired):
        return  # the stream broke
    assert arrived != EXPECTED
