# CPython's half of compat: what MicroPython brings along. No board loads it.

_PERIOD = 1 << 30


def const(value: int) -> int:
    return value


def ticks_add(ticks: int, delta: int) -> int:
    return (ticks + delta) % _PERIOD


def ticks_diff(later: int, earlier: int) -> int:
    half = _PERIOD >> 1
    return (later - earlier + half) % _PERIOD - half


class aes_cbc:  # noqa: N801 - a function elsewhere
    def __init__(self, key: bytes, iv: bytes) -> None:
        # Here, because it takes 7 MB, and a broker alone seals nothing.
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        self._cipher = Cipher(algorithms.AES(key), modes.CBC(iv))

    def encrypt(self, block: bytes) -> bytes:
        context = self._cipher.encryptor()
        return context.update(block) + context.finalize()

    def decrypt(self, block: bytes) -> bytes:
        context = self._cipher.decryptor()
        return context.update(block) + context.finalize()
