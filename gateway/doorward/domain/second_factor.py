"""The second factor: six digits that change every 30 s (RFC 6238), and recovery codes for who lost the telephone."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

import pyotp

SEED_BYTES = 20  # what RFC 4226 recommends, and every authenticator app takes
STEP_S = 30
_WINDOW = 1  # steps to either side: telephones are a little early or late
_RECOVERY_CODES = 10


def new_seed() -> bytes:
    """A fresh secret to share with an authenticator app."""
    return secrets.token_bytes(SEED_BYTES)


def spelled(seed: bytes) -> str:
    """The seed as people type it into an app."""
    return base64.b32encode(seed).decode()


def address(seed: bytes, username: str, site: str) -> str:
    """The otpauth:// address that a QR code carries."""
    return pyotp.TOTP(spelled(seed)).provisioning_uri(name=username, issuer_name=site)


def matching_step(seed: bytes, code: str, now: datetime, after: int) -> int | None:
    """The time step whose code this is, newer than step `after`; None when there is none: a code works once."""
    generator = pyotp.TOTP(spelled(seed))
    given = "".join(code.split()).encode(errors="replace")
    current = int(now.timestamp()) // STEP_S
    found = None
    for step in range(current - _WINDOW, current + _WINDOW + 1):
        # Every step is compared: how long it takes says nothing.
        if hmac.compare_digest(generator.at(step * STEP_S).encode(), given) and step > after:
            found = step
    return found


def new_recovery_codes() -> tuple[str, ...]:
    """Codes of 80 random bits each, every one for a single use."""
    return tuple(_grouped(secrets.token_bytes(10)) for _ in range(_RECOVERY_CODES))


def recovery_digest(code: str) -> bytes:
    """What is kept of a recovery code. Random codes of this length need no slow hash."""
    plain = "".join(character for character in code if character.isalnum()).upper()
    return hashlib.sha256(plain.encode()).digest()


def _grouped(random: bytes) -> str:
    text = base64.b32encode(random).decode()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))
