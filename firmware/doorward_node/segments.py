# Where the log is kept in files: for a board that has no partition for ring.py. See journal.py.
#
#   <directory>/epoch       eight hex digits
#   <directory>/freed       "<seq> <digest hex> <lost>": the last event that is no longer here, and the
#                           first up to it that nobody has acknowledged (0: all of them are; negative
#                           if they went because the log was behind)
#   <directory>/<seq>.log   sixteen events, one exact body a line, from that number on

import binascii
import os

from doorward_core import seal
from doorward_core.compat import const
from doorward_node import files, forget

_SEGMENT = const(16)
_MAX_SEGMENTS = const(64)
# Blocks of the flash that the log leaves to others: what counts tries and keeps rules has to be written, too.
_SPARE = const(6)


class Segments:
    def __init__(self, directory: str) -> None:
        from doorward_node.segments_start import start

        self.directory = directory
        self._place = (0, 0, 0)
        self.epoch, self._segments, self.seq, self._torn, self.settled, self.lost = start(directory)
        forget("segments_start")

    def append(self, body: bytes) -> None:
        seq = self.seq + 1
        if not self._segments or self._torn or seq - self._segments[-1] >= _SEGMENT:
            if self._segments and self._segments[-1] == seq:
                files.remove(self._path(seq))  # it has half a line and nothing else
            else:
                count = len(self._segments)
                if count >= _MAX_SEGMENTS or (count > 1 and self._room() < 0):
                    self._drop()
                self._segments.append(seq)
            self._torn = False
        try:
            with open(self._path(self._segments[-1]), "ab") as file:
                file.write(body + b"\n")
        except OSError:
            self._torn = True  # half a line may stand there
            raise
        self.seq = seq

    def body(self, seq: int) -> "bytes | None":
        # Remembers the place behind it, where the next one is.
        first = self._segments[0]
        for start in self._segments:
            if start <= seq:
                first = start
        at, offset = first, 0
        if self._place[0] == first and self._place[1] <= seq:
            at, offset = self._place[1:]
        try:
            with open(self._path(first), "rb") as file:
                file.seek(offset)
                line = file.readline()
                while at < seq:
                    at += 1
                    line = file.readline()
                self._place = (first, at + 1, file.tell())
        except OSError:
            return None
        return line[:-1] if line else None

    def skip(self, seq: int) -> None:
        # All of its segment. The digest behind it is nobody's any more: the one before it stands.
        left = [first for first in self._segments if first > seq]
        self.lost = self.lost or seq
        self.settled = left[0] - 1 if left else self.seq, self.settled[1]
        try:
            self._remove(len(self._segments) - len(left))
        except OSError:
            pass  # as in settle()

    def overtake(self, seq: int, first: int, epoch: str) -> None:
        self.epoch, former = epoch, self.epoch
        self.seq = seq
        self.settled = seq, self.settled[1]
        self.lost = -first
        self._torn = True  # the next one begins a segment
        try:
            self._remove(0)
            if epoch != former:  # not before the note: this log's first events are not there
                files.replace(self.directory + "/epoch", epoch.encode())
        except OSError:
            pass  # the next segment that goes writes the note; a former epoch is found to be over again

    def settle(self, seq: int, digest: bytes) -> None:
        # Drops the oldest segments once all of them is stored. Without room for the note of where the log
        # starts now nothing is removed: the next time, or after a start, which the gateway tells how far it is.
        self.settled = seq, digest
        self.lost = 0
        count = len([first for first in self._segments[1:] if first <= seq + 1])
        if count:
            try:
                self._remove(count)
            except OSError:
                pass

    def crowded(self) -> bool:
        # A segment has a block or two.
        count = len(self._segments)
        return count > _MAX_SEGMENTS // 2 or self._room() < 2 * count

    def _room(self) -> int:
        # Blocks that the log may still take; less than none if there is too little for others.
        try:
            stat = os.statvfs(self.directory)
        except OSError:
            return -1
        # LittleFS counts blocks twice on a full disk.
        return (stat[3] if stat[3] <= stat[2] else 0) - _SPARE

    def _drop(self) -> None:
        # No room: the oldest make some, acknowledged or not.
        seq, digest = self.settled
        last = self._segments[1] - 1
        if seq < last:
            self.lost = self.lost or seq + 1
        while seq < last:
            seq += 1
            body = self.body(seq)
            if body is None:
                break  # it cannot be read, or the log goes on at a later number
            digest = seal.chain(digest, self.epoch, seq, body)
        self.settled = max(seq, last), digest
        self._remove(1)

    def _remove(self, count: int) -> None:
        # First the note, then the files. A power cut between the two leaves some that the next
        # start removes.
        seq, digest = self.settled
        note = str(seq) + " " + binascii.hexlify(digest).decode() + " " + str(self.lost)
        files.replace(self.directory + "/freed", note.encode())
        for _ in range(count):
            files.remove(self._path(self._segments.pop(0)))

    def _path(self, first: int) -> str:
        return self.directory + "/%08d.log" % first
