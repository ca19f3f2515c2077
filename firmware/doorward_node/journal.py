# The board's log: what happened, in order, until the gateway says that it has stored it.
#
#   <directory>/epoch       eight hex digits, made once: numbers of two logs never meet
#   <directory>/freed       "<seq> <digest hex>" of the last event that is no longer here
#   <directory>/<seq>.log   sixteen events, one exact body a line, from that number on
#
# add() only takes note, in RAM: nothing is written while somebody waits at the door. flush()
# writes. upload() hands out sealed events in order, each with the digest of all before it;
# acknowledged() is the only thing that frees any.

import binascii

from doorward_core import board_messages, seal, topics
from doorward_core.compat import const
from doorward_node import files, forget

_SEGMENT = const(16)
_MAX_SEGMENTS = const(64)
_MAX_NOTES = const(32)
# How many events may be on their way before the gateway has said a word.
_WINDOW = const(8)


class Journal:
    # stamp(): (ISO time, clock) of an event that happens now.
    def __init__(self, directory: str, keys: seal.Keys, stamp) -> None:
        self.directory = directory
        self.keys = keys
        self.stamp = stamp
        self._notes: "list[tuple[str, dict[str, object], tuple[str, str]]]" = []
        self._dropped = 0
        self._stored = 0
        self._flying: "list[tuple[int, bytes]]" = []
        self._place = (0, 0, 0)
        from doorward_node.recovery import recover

        self.epoch, self._segments, self.seq, self._torn, self._settled = recover(directory)
        forget("recovery")
        self.rewind()

    # --- taking note and writing ---

    def add(self, kind: str, data: "dict[str, object]") -> None:
        # Takes note of an event that happens now. When flash and RAM are full, events are only
        # counted, and the next that fits is preceded by `lost`.
        if len(self._notes) >= _MAX_NOTES:
            self._dropped += 1
        else:
            self._notes.append((kind, data, self.stamp()))

    def flush(self) -> None:
        # Writes one event that was noted. One at a time: each is a stall on a real chip.
        if not self._notes:
            return
        if self._full():
            self._dropped += len(self._notes)
            self._notes.clear()
            return
        kind, data, stamp = self._notes.pop(0)
        try:
            if self._dropped:
                self._write("lost", {"count": self._dropped}, self.stamp())
                self._dropped = 0
            self._write(kind, data, stamp)
        except OSError:
            # No room, or a flash that fails. Half a line may stand there.
            self._torn = True
            self._dropped += 1

    def _full(self) -> bool:
        # Room for two is kept in the last segment: the event, and the `lost` before it.
        last = len(self._segments) - 1
        return last + 1 >= _MAX_SEGMENTS and self.seq - self._segments[last] >= _SEGMENT - 2

    def _write(self, kind: str, data: "dict[str, object]", stamp: "tuple[str, str]") -> None:
        seq = self.seq + 1
        body = board_messages.event(
            kind, self.keys.device, self.epoch, seq, stamp[0], stamp[1], data
        )
        if not self._segments or self._torn or seq - self._segments[-1] >= _SEGMENT:
            if self._segments and self._segments[-1] == seq:
                files.remove(self._segment(seq))  # it has half a line and nothing else
            else:
                self._segments.append(seq)
            self._torn = False
        with open(self._segment(self._segments[-1]), "ab") as file:
            file.write(body + b"\n")
        self.seq = seq

    # --- uploading ---

    def upload(self) -> "bytes | None":
        # The next event as a payload for telemetry/events; None if all are on their way.
        self._settle()
        while self._sent < self.seq and len(self._flying) < _WINDOW:
            seq = self._sent + 1
            body = self._body(seq)
            self._digest = seal.chain(self._digest, self.epoch, seq, body)
            self._sent = seq
            self._flying.append((seq, self._digest))
            if seq <= self._stored:
                # The gateway had it before this board restarted.
                self._settle()
                continue
            word = seal.event_word(self.epoch, seq)
            return seal.seal(self.keys, topics.EVENTS, word, body, self._digest)
        return None

    def acknowledged(self, epoch: str, seq: int) -> None:
        # The gateway has stored everything up to seq. Only a note: upload() drops it from flash.
        if epoch == self.epoch and self._stored < seq <= self.seq:
            self._stored = seq

    def waiting(self) -> bool:
        # True if events are on their way that nobody has acknowledged.
        return bool(self._flying)

    def rewind(self) -> "tuple[int, bytes]":
        # Sends again what was not acknowledged: after a new connection, or a long silence. Returns
        # the last number that will not be sent again, and the digest there.
        self._settle()
        self._sent, self._digest = self._settled
        # A gateway that was restored from a backup may have said more than it knows now.
        self._stored = self._sent
        self._flying.clear()
        return self._settled

    def _settle(self) -> None:
        while self._free() and self._flying and self._flying[0][0] <= self._stored:
            self._settled = self._flying.pop(0)

    def _free(self) -> bool:
        # Drops the oldest segment once all of it is stored: first the note of where the log now
        # starts, then the file. A power cut between the two leaves a file that the next start removes.
        # False if there is no room for the note: it has to be tried again before going on.
        seq, digest = self._settled
        if len(self._segments) > 1 and self._segments[1] == seq + 1:
            note = str(seq) + " " + binascii.hexlify(digest).decode()
            try:
                files.replace(self._path("freed"), note.encode())
            except OSError:
                return False
            files.remove(self._segment(self._segments.pop(0)))
        return True

    def _body(self, seq: int) -> bytes:
        # The exact bytes of event seq. Remembers the place behind it, where the next one is.
        first = self._segments[0]
        for start in self._segments:
            if start <= seq:
                first = start
        at, offset = first, 0
        if self._place[0] == first and self._place[1] <= seq:
            at, offset = self._place[1:]
        with open(self._segment(first), "rb") as file:
            file.seek(offset)
            line = file.readline()
            while at < seq:
                at += 1
                line = file.readline()
            self._place = (first, at + 1, file.tell())
        return line[:-1]

    def _path(self, name: str) -> str:
        return self.directory + "/" + name

    def _segment(self, first: int) -> str:
        return self._path("%08d.log" % first)
