# The few places where MicroPython and CPython differ, and nowhere else in this package.
#
# Ticks: boards count milliseconds that wrap at 2**30 (ESP32). Everything here works on such
# ticks, so that a door behaves the same after 12.4 days of uptime as on the first day.

import os

try:
    from micropython import const
except ImportError:

    def const(value: int) -> int:
        return value


try:
    from time import ticks_add, ticks_diff
except ImportError:
    _PERIOD = 1 << 30

    def ticks_add(ticks: int, delta: int) -> int:
        return (ticks + delta) % _PERIOD

    def ticks_diff(later: int, earlier: int) -> int:
        half = _PERIOD >> 1
        return (later - earlier + half) % _PERIOD - half


try:
    from cryptolib import aes

    _MODE_CBC = const(2)

    def aes_cbc_encrypt(key: bytes, iv: bytes, block: bytes) -> bytes:
        return bytes(aes(key, _MODE_CBC, iv).encrypt(block))

    def aes_cbc_decrypt(key: bytes, iv: bytes, block: bytes) -> bytes:
        return bytes(aes(key, _MODE_CBC, iv).decrypt(block))

except ImportError:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    def aes_cbc_encrypt(key: bytes, iv: bytes, block: bytes) -> bytes:
        context = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
        return context.update(block) + context.finalize()

    def aes_cbc_decrypt(key: bytes, iv: bytes, block: bytes) -> bytes:
        context = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        return context.update(block) + context.finalize()


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
