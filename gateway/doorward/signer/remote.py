"""A signer in another process, under another user: what it can be asked goes over its Unix socket."""

import contextlib
import socket
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import ParamSpec, TypeVar

from doorward.app.signer_ports import CacheFile
from doorward.app.trust import (
    Adoption,
    Anchor,
    AuditHead,
    ExportSignature,
    ServerIdentity,
    UserIdentity,
)
from doorward.errors import SigningUnavailable
from doorward.signer import calls
from doorward.signer.calls import Call
from doorward.signer.frames import Frames
from doorward_core.seal import Sealed

P = ParamSpec("P")
R = TypeVar("R")

# Who did not answer in time is left alone for a while: its silence must not become ours.
_PAUSE_S = 2.0
_RETRY_S = 0.05


class RemoteSigner:
    """The Signer's calls, synchronous: each is one round trip. Any thread may call; each has a connection to itself.

    Every call can raise SigningUnavailable. A connection that broke is made anew once; a signer that was restarted
    is simply asked again.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is connected before the first call."""
        self._path = path
        self._idle: deque[Frames] = deque()
        self._paused_until = 0.0

    def wait(self, seconds: float) -> None:
        """Return as soon as it answers: two services that start together. Raises SigningUnavailable after `seconds`."""
        until = time.monotonic() + seconds
        while True:
            try:
                self.certificate()
            except SigningUnavailable:
                if time.monotonic() >= until:
                    raise
                time.sleep(_RETRY_S)
            else:
                return

    def close(self) -> None:
        """Let go of the connections that nobody uses now."""
        with contextlib.suppress(IndexError):
            while True:
                self._idle.pop().close()

    def devices(self) -> tuple[str, ...]:
        return self._ask(calls.DEVICES)

    def verify(self, device: str, suffix: str, payload: bytes, extra: bytes = b"") -> Sealed:
        return self._ask(calls.VERIFY, device, suffix, payload, extra)

    def seal(
        self, device: str, suffix: str, freshness: str, body: bytes, extra: bytes = b""
    ) -> bytes:
        return self._ask(calls.SEAL, device, suffix, freshness, body, extra)

    def decrypt_uid(self, device: str, nonce: bytes, block: bytes) -> bytes:
        return self._ask(calls.DECRYPT_UID, device, nonce, block)

    def tags(self, device: str, uid: bytes) -> tuple[bytes, ...]:
        return self._ask(calls.TAGS, device, uid)

    def epoch(self, device: str) -> int:
        return self._ask(calls.EPOCH, device)

    def next_key(self, device: str, nonce: bytes) -> tuple[int, bytes]:
        return self._ask(calls.NEXT_KEY, device, nonce)

    def build_cache(self, device: str, contents: CacheFile) -> bytes:
        return self._ask(calls.BUILD_CACHE, device, contents)

    def adopt(self, device: str) -> Adoption:
        return self._ask(calls.ADOPT, device)

    def forget(self, device: str) -> None:
        self._ask(calls.FORGET, device)

    def digests(self) -> dict[str, bytes]:
        return self._ask(calls.DIGESTS)

    def certify_user(self, name: str) -> UserIdentity:
        return self._ask(calls.CERTIFY_USER, name)

    def forget_user(self, name: str) -> None:
        self._ask(calls.FORGET_USER, name)

    def serial(self, name: str) -> int | None:
        return self._ask(calls.SERIAL, name)

    def is_revoked(self, serial: int) -> bool:
        return self._ask(calls.IS_REVOKED, serial)

    def crl(self) -> bytes:
        return self._ask(calls.CRL)

    def certificate(self) -> bytes:
        return self._ask(calls.CERTIFICATE)

    def certify_server(self, names: Sequence[str]) -> ServerIdentity:
        return self._ask(calls.CERTIFY_SERVER, names)

    def anchor(
        self, count: int, digest: bytes, *, signed: bool = False, restored: bool = False
    ) -> None:
        self._ask(calls.ANCHOR, count, digest, signed=signed, restored=restored)

    def anchors(self) -> tuple[Anchor, ...]:
        return self._ask(calls.ANCHORS)

    def head(self) -> AuditHead | None:
        return self._ask(calls.HEAD)

    def sign_export(self, digest: bytes) -> ExportSignature:
        return self._ask(calls.SIGN_EXPORT, digest)

    def audit_certificates(self) -> tuple[bytes, ...]:
        return self._ask(calls.AUDIT_CERTIFICATES)

    def sign_firmware(self, digest: bytes) -> bytes:
        return self._ask(calls.SIGN_FIRMWARE, digest)

    def firmware_key(self) -> bytes:
        return self._ask(calls.FIRMWARE_KEY)

    def _ask(self, call: Call[P, R], *args: P.args, **named: P.kwargs) -> R:
        return call.read(self._exchange(call.ask(*args, **named), call.patience_s))

    def _exchange(self, question: bytes, patience_s: float) -> bytes:
        if time.monotonic() < self._paused_until:
            raise self._unavailable("it did not answer a moment ago")
        try:
            with contextlib.suppress(ConnectionError, IndexError):
                return self._round_trip(self._idle.pop(), question, patience_s)
            # There was no connection, or the signer was restarted: then the others are dead as well.
            self.close()
            return self._round_trip(self._connect(), question, patience_s)
        except TimeoutError:
            self._paused_until = time.monotonic() + _PAUSE_S
            raise self._unavailable("it does not answer") from None
        except OSError as error:
            raise self._unavailable(error.strerror or "it hung up") from error

    def _connect(self) -> Frames:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(_PAUSE_S)
            sock.connect(str(self._path))
        except OSError:
            sock.close()
            raise
        return Frames(sock)

    def _round_trip(self, frames: Frames, question: bytes, patience_s: float) -> bytes:
        try:
            frames.socket.settimeout(patience_s)
            frames.send(question)
            answer = frames.receive()
        except BaseException:
            # What comes late on it would be taken for the answer to another question.
            frames.close()
            raise
        self._idle.append(frames)
        return answer

    def _unavailable(self, why: str) -> SigningUnavailable:
        return SigningUnavailable(
            f"signing unavailable: {why} ({self._path})", "start `doorward signer`"
        )
