# The few places where MicroPython and CPython differ, and nowhere else in this package.
#
# Ticks: boards count milliseconds that wrap at 2**30 (ESP32). Everything here works on such
# ticks, so that a door behaves the same after 12.4 days of uptime as on the first day.

import os
import sys

__all__ = (
    "aes_cbc_decrypt",
    "aes_cbc_encrypt",
    "const",
    "same",
    "ticks_add",
    "ticks_diff",
    "urandom",
)

# A name that mypy takes for true: it checks the half that it can know.
MYPY = False

if MYPY or sys.implementation.name != "micropython":
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    _PERIOD = 1 << 30

    def const(value: int) -> int:
        return value

    def ticks_add(ticks: int, delta: int) -> int:
        return (ticks + delta) % _PERIOD

    def ticks_diff(later: int, earlier: int) -> int:
        half = _PERIOD >> 1
        return (later - earlier + half) % _PERIOD - half

    def aes_cbc_encrypt(key: bytes, iv: bytes, block: bytes) -> bytes:
        context = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
        return context.update(block) + context.finalize()

    def aes_cbc_decrypt(key: bytes, iv: bytes, block: bytes) -> bytes:
        context = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        return context.update(block) + context.finalize()

else:
    from time import ticks_add, ticks_diff

    from cryptolib import aes
    from micropython import const

    def aes_cbc_encrypt(key: bytes, iv: bytes, block: bytes) -> bytes:
        return aes(key, 2, iv).encrypt(block)

    def aes_cbc_decrypt(key: bytes, iv: bytes, block: bytes) -> bytes:
        return aes(key, 2, iv).decrypt(block)


def urandom(size: int) -> bytes:
    return os.urandom(size)


def same(left: bytes, right: bytes) -> bool:
    # Compares in a time that does not tell where the first difference is: a board has no
    # hmac.compare_digest.
    if len(left) != len(right):
        return False
    difference = 0
    for index in range(len(left)):
        difference |= left[index] ^ right[index]
    return difference == 0
