"""Certificates for a board's broker, good and bad, and a server that writes down what a board says to it."""

import base64
import contextlib
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BROKER = "doorward-broker"
DAY = timedelta(days=1)


class Issuer:
    """A CA of its own making: what a broker may show must not depend on what the product can issue."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder("test CA", self._key).issuer_name(_name("test CA"))
        builder = builder.add_extension(x509.BasicConstraints(True, 0), critical=True)
        self._root = builder.sign(self._key, hashes.SHA256())

    @property
    def pem(self) -> str:
        return self._root.public_bytes(Encoding.PEM).decode()

    def server(
        self, path: Path, host: str = BROKER, since: timedelta = -DAY, until: timedelta = DAY
    ) -> Path:
        """A server's key and certificate, valid from now + since to now + until."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        builder = self._builder(host, key, since, until).add_extension(names, critical=False)
        builder = builder.add_extension(purpose, critical=False)
        made = builder.sign(self._key, hashes.SHA256())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(private + made.public_bytes(Encoding.PEM))
        return path

    def device(self, name: str, since: timedelta = -DAY, until: timedelta = DAY) -> dict[str, str]:
        """A board's folder /tls, as a profile of the lab has it."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._builder(name, key, since, until).sign(self._key, hashes.SHA256())
        files = {
            "ca.der": self._root.public_bytes(Encoding.DER),
            "cert.der": made.public_bytes(Encoding.DER),
            "key.der": key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        }
        return {file: base64.b64encode(data).decode() for file, data in files.items()}

    def client(self, path: Path, name: str) -> ssl.SSLContext:
        """The context of a client that shows a certificate in this name; its key and certificate go to `path`."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._builder(name, key).sign(self._key, hashes.SHA256())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(private + made.public_bytes(Encoding.PEM))
        context = ssl.create_default_context(cadata=self.pem)
        context.load_cert_chain(path)
        return context

    def context(self, chain: Path) -> ssl.SSLContext:
        """A server's, that asks for a client's certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=self.pem)
        context.load_cert_chain(chain)
        return context

    def _builder(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        since: timedelta = -DAY,
        until: timedelta = DAY,
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(_name(name)).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now + since).not_valid_after(now + until)
        return builder if name == "test CA" else builder.issuer_name(_name("test CA"))


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


class Witness:
    """Listens on a port of the loopback. `context` None: it speaks no TLS and writes down the bytes as they come.

    `mute`: it takes connections and says nothing, not even a handshake.
    """

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self.context = context
        self.mute = False
        self.connections = 0
        self.said = b""  # by boards, after the handshake if there is one
        self.subjects: list[Any] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # To close a listener wakes nobody who waits in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        for peer in self._open:
            peer.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                self.connections += 1
                self._open.append(peer)
                if not self.mute:
                    self._hear(peer)

    def _hear(self, peer: socket.socket) -> None:
        peer.settimeout(1)
        with contextlib.suppress(OSError):
            if self.context is not None:
                peer = self.context.wrap_socket(peer, server_side=True)
                self._open.append(peer)
                self.subjects.append(peer.getpeercert())
            while data := peer.recv(4096):
                self.said += data
        peer.close()
