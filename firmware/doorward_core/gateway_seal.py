# The gateway's half of the seal: words and blocks that a board never makes or opens.

from doorward_core.compat import aes_cbc
from doorward_core.seal import Keys, SealError


def counter_word(number: int) -> str:
    return "c:" + str(number)


def encrypt_key(keys: Keys, nonce: bytes, secret: bytes) -> bytes:
    # The next 32-byte device key as it travels: two AES-128-CBC blocks under the present key, with
    # the nonce of the board's challenge as IV. The seal around it is what authenticates it.
    return bytes(aes_cbc(keys.derive("rekey")[:16], nonce).encrypt(secret))


def decrypt_uid(keys: Keys, nonce: bytes, block: bytes) -> bytes:
    # The UID in a block of seal.encrypt_uid(); raises SealError("form") if there is none.
    if len(block) != 16:
        raise SealError("form")
    plain = bytes(aes_cbc(keys.derive("uid")[:16], nonce).decrypt(block))
    size = plain[0]
    if not 0 < size <= 10 or plain[size + 1 :] != bytes(15 - size):
        raise SealError("form")
    return plain[1 : size + 1]
