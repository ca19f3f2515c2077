# The gateway's half of the seal: words and blocks that a board never makes or opens.

from doorward_core.compat import aes_cbc
from doorward_core.seal import Keys, SealError


def counter_word(number: int) -> str:
    return "c:" + str(number)


def decrypt_uid(keys: Keys, nonce: bytes, block: bytes) -> bytes:
    # The UID in a block of seal.encrypt_uid(); raises SealError("form") if there is none.
    if len(block) != 16:
        raise SealError("form")
    plain = bytes(aes_cbc(keys.derive("uid")[:16], nonce).decrypt(block))
    size = plain[0]
    if not 0 < size <= 10 or plain[size + 1 :] != bytes(15 - size):
        raise SealError("form")
    return plain[1 : size + 1]
