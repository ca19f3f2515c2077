# What this board seals and opens since it started: the boot nonce, and counters that only rise.

from doorward_core import seal
from doorward_core.compat import urandom


class Session:
    def __init__(self, keys: seal.Keys) -> None:
        self.keys = keys
        self._boot = urandom(seal.BOOT_SIZE)
        self._said = 0
        self._heard: "dict[str, int]" = {}

    def newest(self) -> int:
        # The highest number that was taken of a statement since this board started.
        return max(self._heard.values()) if self._heard else 0

    def say(self, suffix: str, body: bytes) -> bytes:
        # The payload of a statement: hello, state, acknowledgement.
        self._said += 1
        return seal.seal(self.keys, suffix, seal.session_word(self._boot, self._said), body)

    def call(self, suffix: str, nonce: bytes, body: bytes) -> bytes:
        # The payload of a call, which wants an answer to its nonce.
        return seal.seal(self.keys, suffix, seal.nonce_word(nonce), body)

    def open(self, suffix: str, payload: bytes) -> tuple:
        # (kind, nonce or counter, body) of a payload with a valid seal; raises seal.SealError.
        # A statement ("s") must be meant for this boot and be newer than the last one on its
        # leaf; reason "replay" otherwise. Nonces and counters are for the caller to judge.
        sealed = seal.open_sealed(self.keys, suffix, payload)
        kind, value, number = seal.parse_freshness(sealed.freshness)
        if kind == "s":
            if value != self._boot or number <= self._heard.get(suffix, 0):
                raise seal.SealError("replay")
            self._heard[suffix] = number
        return kind, value, sealed.body
