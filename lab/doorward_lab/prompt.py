"""What a board says on its serial port, made of what the unix port of MicroPython says.

That port has the real prompt, raw mode and raw paste in it (shared/runtime/pyexec.c), and ends where a chip begins
again. What it lacks is made up for here: lines end in CR LF, and raw mode outlasts a soft reset.
"""

# Printed by lab_start.py when the program has ended and the prompt comes next; nobody else sees it.
PROMPT = b"\x00doorward lab: prompt\x00"
CTRL_A = b"\x01"
_RAW = b"raw REPL; CTRL-B to exit\r\n>"
_FRIENDLY = b'Type "help()" for more information.\r\n'
_KEEP = max(len(_RAW), len(_FRIENDLY)) - 1


class Prompt:
    """Filters the output of one process and follows its mode.

    raw: whether raw mode is on. wants_raw: set when the prompt is there, but not yet raw as it should be: type ^A.
    """

    def __init__(self, *, raw: bool) -> None:
        """raw: the soft reset before this process came in raw mode."""
        self.raw = raw
        self.wants_raw = False
        self._held = b""  # perhaps the beginning of PROMPT
        self._hushed: bytes | None = None
        self._tail = b""
        self._last = 0

    def feed(self, data: bytes) -> bytes:
        """Return what the board says when the process has written `data`."""
        data = self._held + data
        self._held = b""
        before, mark, after = data.partition(PROMPT)
        if mark:
            self.wants_raw = self.raw
            said = self._follow(before)
            # The banner of the friendly mode, until raw mode has been entered, is not to be seen.
            self._hushed = b"" if self.raw else None
            return said + self.feed(after)
        at = data.rfind(PROMPT[:1])
        if at >= 0 and PROMPT.startswith(data[at:]):
            data, self._held = data[:at], data[at:]
        return self._follow(data)

    def _follow(self, data: bytes) -> bytes:
        if self._hushed is not None:
            self._hushed += data
            at = self._hushed.find(_RAW)
            if at < 0:
                return b""
            data, self._hushed = self._hushed[at:], None
        seen = self._tail + data
        self._tail = seen[-_KEEP:]
        raw, friendly = seen.rfind(_RAW), seen.rfind(_FRIENDLY)
        if raw != friendly:
            self.raw = raw > friendly
        return self._with_cr(data)

    def _with_cr(self, data: bytes) -> bytes:
        out = bytearray()
        for byte in data:
            if byte == 0x0A and self._last != 0x0D:
                out.append(0x0D)
            out.append(byte)
            self._last = byte
        return bytes(out)
