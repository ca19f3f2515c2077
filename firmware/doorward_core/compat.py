# The few places where MicroPython and CPython differ, and nowhere else in this package.
#
# Ticks: boards count milliseconds that wrap at 2**30 (ESP32). Everything here works on such
# ticks, so that a door behaves the same after 12.4 days of uptime as on the first day.

import sys
from os import urandom

__all__ = ("aes_cbc", "const", "same", "ticks_add", "ticks_diff", "urandom")

# A name that mypy takes for true: it checks the half that it can know.
MYPY = False

if MYPY or sys.implementation.name != "micropython":
    from doorward_core.compat_cpython import aes_cbc, const, ticks_add, ticks_diff
else:
    from time import ticks_add, ticks_diff

    from cryptolib import aes
    from micropython import const

    def aes_cbc(key: bytes, iv: bytes):  # type: ignore[no-untyped-def]
        # An object that can encrypt() and decrypt().
        return aes(key, 2, iv)


def same(left: bytes, right: bytes) -> bool:
    # Compares in a time that does not tell where the first difference is: a board has no
    # hmac.compare_digest.
    difference = len(left) ^ len(right)
    for one, other in zip(left, right):  # noqa: B905 - MicroPython's zip knows no strict
        difference |= one ^ other
    return difference == 0
