# TLS around the connection to the broker: it has to be ours, and we have to be who we say.

from asyncio import core  # type: ignore[attr-defined]  # the loop's own select

from doorward_node import forget
from doorward_node.transport import Transport


class Tls:
    # folder: has ca.der (whom we trust), cert.der and key.der (who we are). name: what the broker's
    # certificate has to be for; where the broker is does not matter.
    def __init__(self, folder, name):
        self._folder = folder
        self._name = name
        # Its 3 KiB in one piece are easy to find now, and never again as easily.
        try:
            self._context = _context(folder)
        except OSError:
            self._context = None  # said at every attempt to connect

    # The same connection, to be spoken on in TLS from here on; TlsTransport.begin does so first.
    # Raises OSError for files that are no certificates: the door goes on without a broker.
    def __call__(self, opened):
        if not self._context:
            self._context = _context(self._folder)
        stream = self._context.wrap_socket(
            opened.sock, server_hostname=self._name, do_handshake_on_connect=False
        )
        return TlsTransport(opened.sock, stream)


class TlsTransport(Transport):
    _owed = 0

    # Awaitable: the handshake, and then the first packet. Nothing is said before the broker has
    # proved who it is. Raises OSError.
    def begin(self, packet):
        try:
            while self.write(packet) < len(packet):
                # What keeps it is the handshake: a fresh socket has room for so little.
                yield core._io_queue.queue_read(self.sock)  # noqa: SLF001 - no public way to wait for a socket
        except ValueError as error:
            # So the port calls a certificate that does not verify.
            raise OSError(str(error))

    def write(self, data):
        # What it did not take may be a record already. It wants the very same bytes again then,
        # and would take bytes that came later for sent.
        if self._owed:
            data = data[: self._owed]
        taken = super().write(data)
        self._owed = len(data) - taken
        return taken


def _context(folder):
    from doorward_node import tls_context

    try:
        return tls_context.context(folder)
    finally:
        forget("tls_context")
