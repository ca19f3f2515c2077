"""Opaque tokens: 256 random bits as text, of which memory and store know the SHA-256 alone."""

import hashlib
import secrets


def make() -> str:
    """A new one."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What is kept of it. Takes whatever somebody sends as one."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
