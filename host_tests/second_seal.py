"""The seal once more, written from the protocol document on `cryptography` alone.

It shares no line with `doorward_core.seal`: the two agree on the vectors and on whatever hypothesis thinks of, or
one of them is wrong.
"""

import hashlib
import struct

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256 of data, 32 bytes."""
    context = hmac.HMAC(key, hashes.SHA256())
    context.update(data)
    return context.finalize()


def derive(secret: bytes, label: str, epoch: int) -> bytes:
    """The 32-byte key of one label."""
    return hmac_sha256(secret, f"dw1|{label}|{epoch}".encode())


def fields(*parts: bytes) -> bytes:
    """Each part behind its length as two big-endian bytes."""
    return b"".join(struct.pack(">H", len(part)) + part for part in parts)


def seal(
    secret: bytes,
    epoch: int,
    label: str,
    device: str,
    suffix: str,
    freshness: str,
    body: bytes,
    extra: bytes = b"",
) -> bytes:
    """The sealed payload."""
    covered = fields(label.encode(), device.encode(), suffix.encode(), freshness.encode(), body)
    if extra:
        covered += fields(extra)
    mac = hmac_sha256(derive(secret, label, epoch), covered)[:16]
    return b"%s\ndw1 %d %s %s" % (body, epoch, freshness.encode(), mac.hex().encode())


def encrypt_uid(secret: bytes, epoch: int, nonce: bytes, uid: bytes) -> bytes:
    """One AES-128-CBC block with the nonce as IV."""
    block = (bytes([len(uid)]) + uid).ljust(16, b"\0")
    cipher = Cipher(algorithms.AES(derive(secret, "uid", epoch)[:16]), modes.CBC(nonce)).encryptor()
    return cipher.update(block) + cipher.finalize()


def encrypt_key(secret: bytes, epoch: int, nonce: bytes, new: bytes) -> bytes:
    """The next device key: two AES-128-CBC blocks with the nonce as IV."""
    key = derive(secret, "rekey", epoch)[:16]
    cipher = Cipher(algorithms.AES(key), modes.CBC(nonce)).encryptor()
    return cipher.update(new) + cipher.finalize()


def tag(secret: bytes, epoch: int, uid: bytes) -> bytes:
    """The 12 bytes that stand for a UID on one device."""
    return hmac_sha256(derive(secret, "uid", epoch), bytes([len(uid)]) + uid)[:12]


def chain(previous: bytes, epoch: str, seq: int, body: bytes) -> bytes:
    """The log digest after one event."""
    return hashlib.sha256(previous + f"{epoch}.{seq}".encode() + body).digest()[:16]


def cache(
    secret: bytes,
    epoch: int,
    device: str,
    times: tuple[int, int, int, int],
    windows: list[tuple[int, int, int, int, int]],
    holidays: list[tuple[int, int]],
    persons: list[tuple[int, int, int]],
    records: list[tuple[bytes, int, int]],
) -> bytes:
    """The credential cache file; times are version, issued, soft and hard expiry. For files of one block of flash."""
    rest = b"".join(
        struct.pack(">HBBHH", group, mask, strength, start, end)
        for group, strength, mask, start, end in windows
    )
    rest += b"".join(struct.pack(">HH", *days) for days in holidays)
    buckets = 1
    while 3 * buckets < len(records):
        buckets *= 2
    shares = [0] * buckets
    for mark, person, group in records:
        first, last, suspended = persons[person]
        rest += mark + struct.pack(">4H", person, 0xFFFF if suspended else group, first, last)
        shares[int.from_bytes(mark[:2], "big") * buckets // 65536] += 1
    rest += bytes(shares)
    counts = struct.pack(">HHII", len(windows), len(holidays), len(records), buckets)
    header = b"DWC2" + device.encode().ljust(32, b"\0") + struct.pack(">4I", *times) + counts
    header += hashlib.sha256(rest).digest()[:16]
    return header + rest + hmac_sha256(derive(secret, "down.cache", epoch), header)[:16]
