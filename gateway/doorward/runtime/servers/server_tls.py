"""The TLS of our servers for as long as they run: a certificate that is made anew in time."""

import asyncio

import structlog

from doorward.app.signer_ports import Registrar
from doorward.app.trust import fingerprint
from doorward.config import Settings
from doorward.runtime.servers.certificate import ServerCertificate
from doorward.runtime.servers.tls import for_boards, for_browsers, for_users, load_chain

_log = structlog.get_logger(__name__)

_LOOK_S = 86400.0


class ServerTls:
    """The contexts of our servers, with a certificate that is good for as long as we run."""

    def __init__(self, settings: Settings, registrar: Registrar) -> None:
        """Raises what `ServerCertificate.refresh` does."""
        self.certificate = ServerCertificate(settings.server_certificate, registrar, settings.names)
        self.fingerprint = fingerprint(registrar.certificate())  # of the CA
        self.mqtt = for_boards(registrar.certificate())
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
