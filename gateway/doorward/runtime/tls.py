"""What our servers show to who comes to them over TLS, and what they ask."""

import asyncio
import ssl
from asyncio import sslproto
from pathlib import Path

import structlog

from doorward.app.signer_ports import Registrar
from doorward.app.trust import fingerprint
from doorward.config import Settings
from doorward.runtime.server_certificate import ServerCertificate

_log = structlog.get_logger(__name__)

_LOOK_S = 86400.0

# The largest TLS record. asyncio gives each TLS connection a read buffer of that size from its first moment on, and
# with its own 256 KiB a few thousand strangers who never finish a handshake would take a gigabyte.
sslproto.SSLProtocol.max_size = 16 * 1024


class ServerTls:
    """The contexts of our servers, with a certificate that is good for as long as we run."""

    def __init__(self, settings: Settings, registrar: Registrar, *, boards: bool = True) -> None:
        """Without `boards` nobody has to show a certificate. Raises what `ServerCertificate.refresh` does."""
        self.certificate = ServerCertificate(settings.server_certificate, registrar, settings.names)
        self.fingerprint = fingerprint(registrar.certificate())  # of the CA
        self.mqtt = (for_boards if boards else for_users)(registrar.certificate())
        self.websockets = for_users(registrar.certificate())
        self.browsers = for_browsers()
        self.certificate.refresh()
        self._load()

    async def keep(self) -> None:
        """Look every day, for ever. Who is connected when the certificate changes stays so."""
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                self.renew()
            except Exception:  # noqa: BLE001 - there are 60 days for another try
                _log.exception("certificate.not_renewed")

    def renew(self) -> None:
        """Show a new certificate from the next connection on, if it is time for one."""
        if self.certificate.refresh():
            self._load()
            _log.info("certificate.renewed")

    def _load(self) -> None:
        for context in (self.mqtt, self.websockets, self.browsers):
            load_chain(context, self.certificate.path)


def for_boards(authority: bytes) -> ssl.SSLContext:
    """The broker's: nobody without a certificate of `authority` (PEM) gets a word in. Its own chain is loaded later."""
    context = _server()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=authority.decode())
    return context


def for_users(authority: bytes) -> ssl.SSLContext:
    """The broker's for who has a password: whoever has a certificate of `authority` (PEM) shows it."""
    context = for_boards(authority)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def for_browsers() -> ssl.SSLContext:
    """The page's: people show who they are once they see it."""
    return _server()


def load_chain(context: ssl.SSLContext, path: Path) -> None:
    """Show the certificate of this file from the next handshake on; who is connected stays so."""
    context.load_cert_chain(path)


def _server() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A resumed session would bring the certificate of back then.
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    return context
