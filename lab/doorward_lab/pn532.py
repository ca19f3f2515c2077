"""The NXP PN532 at the level of its frames (user manual UM0701-02), with one type A card in its field.

Written without the firmware's own code, and in the part of Python that a board speaks, so that the tests of the driver
run it in their own process.
"""

_ACK = b"\x00\x00\xff\x00\xff\x00"
_NACK = b"\x00\x00\xff\xff\x00\x00"
_SYNTAX_ERROR = b"\x00\x00\xff\x01\xff\x7f\x81\x00"
_TIMEOUT = b"\x01"  # the card does not answer (7.1)

# By the length of a UID: SENS_RES of the usual cards (NXP AN10833).
_SENS_RES = {4: b"\x00\x04", 7: b"\x00\x44", 10: b"\x00\x84"}
_ISO_DEP = 0x20  # in SEL_RES: the card speaks ISO 14443-4, and has an ATS
_ATS = b"\x06\x75\x77\x81\x02\x80"  # of a DESFire; NTAG 424 DNA has one like it


class Pn532:
    """Takes what the host writes, and hands each frame that is ready to `send(frame, names a new card)`."""

    def __init__(self, send) -> None:  # type: ignore[no-untyped-def]  # typing is not on a board
        """A chip that has just got power: in its low battery mode until SAMConfiguration."""
        self._to_host = send
        self._cards: list[tuple[bytes, int, object]] = []
        self._fresh = False
        self._noise = 0
        self._cut = False  # the antenna's coil
        self.power_on()

    def power_on(self) -> None:
        """Forget everything, as after a brown-out or a reset; nobody is told."""
        self._configured = False
        self._frozen = False
        self._searching = False
        self._selected: tuple[bytes, int, object] | None = None
        self._retries = 0xFF
        self._last = b""

    def card(self, uid: bytes, sak: int, apdu=None) -> None:  # type: ignore[no-untyped-def]  # ditto
        """Put one more card into the field. apdu: what it answers, a function of bytes; by default nothing."""
        self._cards.append((uid, sak, apdu))
        self._fresh = True
        if self._searching and not self._cut:
            self._found()

    def no_card(self) -> None:
        """Empty the field."""
        self._cards.clear()
        self._selected = None
        self._fresh = False

    def fault(self, name: str) -> None:
        """ok, frozen (until a reset), brownout, antenna (cut), or noise: the next frame is spoilt on its way."""
        if name == "brownout":
            self.power_on()
        elif name == "noise":
            self._noise += 1
        else:
            self._frozen = name == "frozen"
            self._cut = name == "antenna"

    def take(self, written: bytes) -> None:
        """Read what the host has written in one go."""
        if self._frozen:
            return
        if written == _ACK:
            self._searching = False
            return
        if written == _NACK:
            if self._last:
                self._say(self._last)
            return
        body = _body(written)
        if body is None:
            return  # spoilt: not acknowledged
        self._searching = False
        self._say(_ACK)
        self._last = b""
        answer = self._command(body[1], body[2:])
        if answer is not None:
            self._answer(body[1], answer)

    def _command(self, code: int, data: bytes) -> "bytes | None":
        # The answer's data, or None when there is none yet, or an error frame has gone out.
        if code == 0x02:
            return b"\x32\x01\x06\x07"
        if code == 0x00 and data[:1] == b"\x07":
            # The test of the antenna: the two upper bits say what is wrong with it (7.2.1).
            return b"\xc0" if self._cut else b"\x00"
        if code == 0x14:
            self._configured = data[:1] == b"\x01"
            return b""
        if self._configured:
            if code == 0x32:
                if data[:1] == b"\x05":
                    self._retries = data[3]
                return b""
            if code == 0x4A and data[:2] == b"\x01\x00":
                return self._list()
            if code == 0x40 and data[:1] == b"\x01":
                return self._exchange(data[1:])
        self._say(_SYNTAX_ERROR)
        return None

    def _list(self) -> "bytes | None":
        self._selected = None
        if self._cards and not self._cut:
            self._found()
            return None
        if self._retries == 0xFF:
            self._searching = True
            return None
        return b"\x00"

    def _found(self) -> None:
        self._searching = False
        uid, sak, _ = self._selected = self._cards[0]
        answer = b"\x01\x01" + _SENS_RES[len(uid)] + bytes((sak, len(uid))) + uid
        if sak & _ISO_DEP:
            answer += _ATS
        fresh, self._fresh = self._fresh, False
        self._answer(0x4A, answer, fresh)

    def _exchange(self, apdu: bytes) -> bytes:
        if self._selected is None or self._selected[2] is None:
            return _TIMEOUT
        answer = self._selected[2](apdu)  # type: ignore[operator]  # see card()
        return _TIMEOUT if answer is None else b"\x00" + bytes(answer)

    def _answer(self, code: int, data: bytes, fresh: bool = False) -> None:
        body = bytes((0xD5, code + 1)) + data
        size = len(body)
        head = bytes((0, 0, 0xFF, size, -size & 0xFF))
        self._last = head + body + bytes((-sum(body) & 0xFF, 0))
        self._say(self._last, fresh)

    def _say(self, frame: bytes, fresh: bool = False) -> None:
        if self._noise:
            self._noise -= 1
            at = len(frame) - 2
            frame = frame[:at] + bytes((frame[at] ^ 0x10,)) + frame[at + 1 :]
        self._to_host(frame, fresh)


def _body(frame: bytes) -> "bytes | None":
    # TFI, command and data of a normal frame (6.2.1.1), or None if it is spoilt.
    if len(frame) < 8 or frame[:3] != b"\x00\x00\xff" or (frame[3] + frame[4]) & 0xFF:
        return None
    body = frame[5 : 5 + frame[3]]
    if len(frame) != frame[3] + 7 or body[0] != 0xD4 or (sum(body) + frame[5 + frame[3]]) & 0xFF:
        return None
    return body
