# Whether this site's signer has signed a manifest: RSA with 3072 bits, PKCS #1 v1.5, SHA-256
# (RFC 8017, 8.2.2). Loaded for an update only. The key came with adoption or was sent under a
# challenge, never with a bundle.

from doorward_core.compat import const

_SIZE = const(384)
# The exponent is 65537: sixteen squarings, and once more the number itself.
_SQUARINGS = const(16)
# DigestInfo of a SHA-256 (RFC 8017, 9.2, note 1).
_INFO = b"010\r\x06\t`\x86H\x01e\x03\x04\x02\x01\x05\x00\x04 "


def checking(digest: bytes, signature: bytes, modulus: bytes):
    # A generator: one multiplication at a time, for the door's loop must have its turn between
    # two. Returns whether it is good. digest: SHA-256 of what was signed. The whole block is
    # compared: nothing in it is parsed, so there is nothing that a forger could hide in.
    if len(signature) != _SIZE or len(modulus) != _SIZE or not modulus[0] & 0x80:
        return False
    n = int.from_bytes(modulus, "big")
    s = int.from_bytes(signature, "big")
    if s >= n:
        return False
    power = s
    for _ in range(_SQUARINGS):
        power = power * power % n
        yield
    block = (power * s % n).to_bytes(_SIZE, "big")
    tail = b"\x00" + _INFO + digest
    return block == b"\x00\x01" + b"\xff" * (_SIZE - 2 - len(tail)) + tail
