"""One CA, one broker with a listener for boards, and clients with any certificate."""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broker_support import Client, RunningBroker, running_broker
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from tls_witness import Issuer

from doorward.broker import Limits, Principals, Secure
from doorward.broker.identity.ports import Logins
from doorward.errors import Unavailable
from doorward.runtime.servers import tls

PATIENCE = 5.0


@dataclass
class Known:
    """What a signer knows of certificates."""

    serials: dict[str, int] = field(default_factory=dict)
    revoked: set[int] = field(default_factory=set)
    away: bool = False

    def serial(self, name: str) -> int | None:
        return self.serials.get(name)

    def is_revoked(self, serial: int) -> bool:
        if self.away:
            raise Unavailable("signing is unavailable")
        return serial in self.revoked


class Stage:
    """One CA, one broker, and clients with any certificate."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.issuer = Issuer()
        self.known = Known()
        self.context = tls.for_boards(self.issuer.pem.encode())
        tls.load_chain(self.context, self.issuer.server(folder / "server.pem"))
        self.site: RunningBroker

    @property
    def port(self) -> int:
        return self.site.broker.secure_port

    @property
    def failed(self) -> int:
        return self.site.broker.status().handshakes_failed

    def client(self, files: dict[str, str] | None) -> ssl.SSLContext:
        """A client's context that shows the certificate in a board's files."""
        context = ssl.create_default_context(cadata=self.issuer.pem)
        if files is not None:
            certificate = x509.load_der_x509_certificate(base64.b64decode(files["cert.der"]))
            key = load_der_private_key(base64.b64decode(files["key.der"]), None)
            path = self.folder / "client.pem"
            private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
            context.load_cert_chain(path)
        return context

    def certified(self, name: str) -> ssl.SSLContext:
        """A client's context with a good certificate, which the broker knows."""
        files = self.issuer.device(name)
        certificate = x509.load_der_x509_certificate(base64.b64decode(files["cert.der"]))
        self.known.serials[name] = certificate.serial_number
        return self.client(files)

    async def answer(self, context: ssl.SSLContext, name: str, **options: Any) -> int:
        """The code that a CONNECT of `name` is answered with."""
        client = await Client.open(self.port, context)
        try:
            return (await client.try_connect(name, **options))[1]
        finally:
            await client.drop()

    async def is_shut_out(self, context: ssl.SSLContext) -> bool:
        """True when not even a CONNECT is answered."""
        try:
            client = await Client.open(self.port, context)
        except OSError:
            return True
        try:
            await client.try_connect("front")
        except (OSError, EOFError):
            return True
        finally:
            await client.drop()
        return False

    async def until_failed(self, count: int) -> None:
        """Return when that many handshakes have failed."""
        async with asyncio.timeout(PATIENCE):
            while self.failed < count:  # noqa: ASYNC110 - only the other side's kernel knows
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def staged(
    folder: Path,
    limits: Limits | None = None,
    logins: Callable[[Principals], Logins] | None = None,
) -> AsyncIterator[Stage]:
    """A stage whose broker runs."""
    stage = Stage(folder)
    secure = Secure("127.0.0.1", 0, stage.context)
    async with running_broker(
        folder, secure=secure, certificates=stage.known, limits=limits, logins=logins
    ) as site:
        stage.site = site
        yield stage
