# Whether this site's signer has signed a manifest: RSA with 3072 bits, PKCS #1 v1.5, SHA-256
# (RFC 8017, 8.2.2). Loaded for an update only. The key came with adoption, never with a bundle.

import hashlib
import os

from doorward_core.compat import const

_SIZE = const(384)
_EXPONENT = const(65537)
_PIECE = const(512)
# DigestInfo of a SHA-256 (RFC 8017, 9.2, note 1).
_INFO = b"010\r\x06\t`\x86H\x01e\x03\x04\x02\x01\x05\x00\x04 "


def valid(digest: bytes, signature: bytes, modulus: bytes) -> bool:
    # digest: SHA-256 of what was signed. The whole block is compared: nothing in it is parsed, so
    # there is nothing that a forger could hide in.
    if len(signature) != _SIZE or len(modulus) != _SIZE or not modulus[0] & 0x80:
        return False
    n = int.from_bytes(modulus, "big")
    s = int.from_bytes(signature, "big")
    if s >= n:
        return False
    block = pow(s, _EXPONENT, n).to_bytes(_SIZE, "big")
    tail = b"\x00" + _INFO + digest
    return block == b"\x00\x01" + b"\xff" * (_SIZE - 2 - len(tail)) + tail


def accept(signature: bytes, modulus: bytes, root: str = "") -> bool:
    # Makes /update.part the order that install.py follows, if it was signed; or removes it.
    digest = hashlib.sha256()
    with open(root + "/update.part", "rb") as file:
        piece = file.read(_PIECE)
        while piece:
            digest.update(piece)
            piece = file.read(_PIECE)
    if valid(digest.digest(), signature, modulus):
        os.rename(root + "/update.part", root + "/update.json")
        return True
    os.remove(root + "/update.part")
    return False
