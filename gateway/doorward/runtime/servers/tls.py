"""What our servers ask of who comes over TLS, and what they show."""

import ssl
from asyncio import sslproto
from pathlib import Path

# The largest TLS record. asyncio gives each TLS connection a read buffer of that size from its first moment on, and
# with its own 256 KiB a few thousand strangers who never finish a handshake would take a gigabyte.
sslproto.SSLProtocol.max_size = 16 * 1024


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
