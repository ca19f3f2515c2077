"""A board as a script: it seals with the shared core, and says exactly what the test wants it to say."""

import os

from doorward_core import board_messages, seal, topics
from doorward_core.messages import encode, hexed
from stage.secrets import Enrolment


class ScriptedBoard:
    def __init__(self, enrolment: Enrolment) -> None:
        self.id = enrolment.device
        self.secret = enrolment.secret
        self.keys = seal.Keys(enrolment.device, bytes.fromhex(enrolment.key), enrolment.epoch)
        self.boot = os.urandom(seal.BOOT_SIZE)
        self.number = 0
        self.epoch = "0a0b0c0d"
        self.seq = 0
        self.digest = seal.CHAIN_START

    def say(self, suffix: str, body: bytes) -> bytes:
        self.number += 1
        return seal.seal(self.keys, suffix, seal.session_word(self.boot, self.number), body)

    def hello(
        self,
        cache_version: int = 0,
        heard: int = 0,
        stored: tuple[int, bytes] | None = None,
        lost: int = 0,
    ) -> bytes:
        """stored: behind which entry the board goes on; by default the gateway has acknowledged nothing. lost: the
        first up to there that the board had to drop."""
        log = (self.epoch, self.seq)
        place = (*(stored or (0, seal.CHAIN_START)), lost)
        body = board_messages.hello(self.id, "0.1.0", *log, cache_version, 1000, heard, place)
        return self.say(topics.ONLINE, body)

    def announce(self, claim: str, *, device: str | None = None, **said: object) -> bytes:
        body = {
            "v": 1,
            "device_id": device or self.id,
            "claim": claim,
            "board": "door-esp32",
            "firmware": "0.1.0",
            **said,
        }
        return self.say(topics.REGISTER, encode(body))

    def ask(self, uid: bytes, nonce: bytes) -> bytes:
        block = seal.encrypt_uid(self.keys, nonce, uid)
        body = board_messages.access_request(self.id, 0, block)
        return seal.seal(self.keys, topics.ACCESS_REQUEST, seal.nonce_word(nonce), body)

    def ask_time(self, nonce: bytes) -> bytes:
        body = board_messages.time_request(self.id)
        return seal.seal(self.keys, topics.TIME_REQUEST, seal.nonce_word(nonce), body)

    def event(
        self, kind: str, data: dict[str, object], stamp: str = "2026-11-21T10:30:00Z"
    ) -> bytes:
        self.seq += 1
        body = board_messages.event(kind, self.id, self.epoch, self.seq, stamp, "gateway", data)
        self.digest = seal.chain(self.digest, self.epoch, self.seq, body)
        word = seal.event_word(self.epoch, self.seq)
        return seal.seal(self.keys, topics.EVENTS, word, body, self.digest)

    def lost(
        self,
        last: int,
        first: int | None = None,
        digest: bytes | None = None,
        *,
        behind: bool = False,
    ) -> bytes:
        """The board has dropped what it would have said up to `last`; what follows goes on behind that."""
        first = self.seq + 1 if first is None else first
        self.seq, self.digest = last, os.urandom(16) if digest is None else digest
        data: dict[str, object] = {"first": first, "last": last, "digest": hexed(self.digest)}
        if behind:
            data["behind"] = True
        body = board_messages.event(
            "lost", self.id, self.epoch, last, "2026-11-21T10:30:00Z", "gateway", data
        )
        return seal.seal(
            self.keys, topics.EVENTS, seal.event_word(self.epoch, last), body, self.digest
        )

    def decision(
        self, uid: bytes, nonce: bytes, *, granted: bool, source: str = "gateway"
    ) -> bytes:
        return self.event(
            "access.decision",
            {
                "request": hexed(nonce[:8]),
                "granted": granted,
                "rule": 10,
                "source": source,
                "tag": hexed(seal.tag(self.keys, uid)),
                "tail": hexed(uid[-2:]),
            },
        )

    def open(self, suffix: str, payload: bytes) -> bytes:
        """The body of a payload for this board; raises SealError."""
        return seal.open_sealed(self.keys, suffix, payload).body
