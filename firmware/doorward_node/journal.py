# The board's log: what happened, in order, until the gateway says that it has stored it.
#
# add() only takes note, in RAM: nothing is written while somebody waits at the door. flush()
# writes. upload() hands out sealed events in order, each with the digest of all before it;
# acknowledged() is the only thing that frees any, unless there is no room left: then the oldest
# make room for the newest, and an event `lost` stands in their place. Nothing is sent after a hello
# before the gateway has said what it holds, nor freed before that is what this log says: a log that is
# behind (behind.py) goes on above it.
#
# Where they are kept is the store's affair: ring.py, or segments.py where there is no partition
# for it. A store has
#
#   epoch           eight hex digits, made once: numbers of two logs never meet
#   seq             the newest event's number
#   settled         (number, digest) of the event behind which the log begins
#   lost            first of the events up to settled that nobody has acknowledged; 0 if there is none,
#                   negative if they went because the log was behind
#   append(body)    writes the next event; raises OSError
#   body(seq)       its exact bytes; None if they cannot be read any more
#   skip(seq)       gives up event seq, the first one, and all that is unreadable with it
#   settle(seq, digest)  all up to there is acknowledged
#   overtake(seq, first, epoch)  goes on behind that number: from `first` up to it all is lost, though what
#                   is there can be read until room is needed, or it is settled
#   crowded()       whether more than half of the room is taken
#
# What only measures (_TELEMETRY) gets half of the room and no more: nobody can drive what matters for
# security out of the log by walking up and down.

from doorward_core import board_messages, seal, topics
from doorward_core.compat import const
from doorward_core.messages import hexed
from doorward_node import flight, forget

_MAX_NOTES = const(32)
_TELEMETRY = ("motion", "reader.reset", "flight")
# flight.py has its codes.
_EVENT = const(16)
# Turns of the background's loop, of 50 ms.
_AGAIN = const(1200)
# How many events may be on their way before the gateway has said a word.
_WINDOW = const(8)
# No log comes so far: a number that a ring's header has room for.
_MOST = const(0x7FFFFFF0)


class Journal:
    # stamp(): (ISO time, clock) of an event that happens now.
    def __init__(self, store, keys: seal.Keys, stamp) -> None:  # type: ignore[no-untyped-def]
        self.store = store
        self.keys = keys
        self.stamp = stamp
        self._notes: "list[tuple[str, dict[str, object], tuple[str, str]]]" = []
        self._dropped = self._withheld = self._pause = 0
        self._flying: "list[tuple[int, bytes]]" = []
        # How far the gateway is, and its digest there; how far that was found to be ours, too.
        self._stored = self._agreed = 0
        self._held: "bytes | None" = None
        self._sent = 0
        self._asked = self._over = False
        self._began = store.seq
        self._copy = None
        self.renewed = False  # there is something to greet with: the log goes on somewhere else
        self.rewind()

    # --- taking note and writing ---

    def add(self, kind: str, data: "dict[str, object]") -> None:
        # Takes note of an event that happens now. What RAM has no room for is only counted, and
        # the next that is written is preceded by `lost`.
        flight.note(_EVENT, kind)
        if kind in _TELEMETRY and len(self._notes) >= _MAX_NOTES // 2:
            self._withheld += 1
        elif len(self._notes) >= _MAX_NOTES:
            self._dropped += 1
        else:
            self._notes.append((kind, data, self.stamp()))

    def flush(self) -> None:
        # Writes one event that was noted. One at a time: each is a stall on a real chip.
        if self._copy:
            if not self._copy.turn(self._write_again):
                self._copy = None
            return
        begin = self.store.settled[0]
        try:
            if self._notes:
                self._write(*self._notes.pop(0))
            elif self._dropped:
                self._pause -= 1
                if self._pause <= 0:
                    self._write_lost()
        except OSError:
            # No room, or a flash that fails: tried again with the next event, or a minute later.
            self._pause = _AGAIN
        if self.store.settled[0] != begin:
            self._flying.clear()  # some of what is on its way is here no longer
            self.rewind()

    def _write(self, kind: str, data: "dict[str, object]", stamp: "tuple[str, str]") -> None:
        if kind in _TELEMETRY:
            if self.store.crowded():
                self._withheld += 1
                return
            # Told together with the rest of what is lost, and not before there is room again.
            self._dropped += self._withheld
            self._withheld = 0
        self._dropped += 1  # until it is written
        if self._dropped > 1:
            self._write_lost(1)
        self._append(kind, data, stamp)
        self._dropped = 0

    def _write_lost(self, coming: int = 0) -> None:
        self._append("lost", {"count": self._dropped - coming}, self.stamp())
        self._dropped = coming

    def _append(self, kind: str, data: "dict[str, object]", stamp: "tuple[str, str]") -> None:
        body = self._event(kind, data, stamp)
        try:
            self.store.append(body)
        except OSError:
            if kind in _TELEMETRY:
                raise
            self.store.append(body)  # it goes elsewhere: behind half an event nothing is written
        self._pause = 0

    def _write_again(self, event) -> None:  # type: ignore[no-untyped-def]
        try:
            stamp = event["ts"], event["clock"]
            self._append(event["type"], event["data"], stamp)
        except (OSError, KeyError):
            # KeyError: flash has spoilt a line, and it is JSON all the same.
            self._dropped += 1

    def _event(
        self, kind: str, data: "dict[str, object]", stamp: "tuple[str, str]", seq: int = 0
    ) -> bytes:
        return board_messages.event(
            kind,
            self.keys.device,
            self.store.epoch,
            seq or self.store.seq + 1,
            stamp[0],
            stamp[1],
            data,
        )

    # --- uploading ---

    def upload(self) -> "bytes | None":
        # The next event as a payload for telemetry/events; None if all are on their way.
        store = self.store
        if self._asked or self._copy or not self._agree():
            return None
        self._settle()
        if store.lost and not self._told:
            return self._lost()
        if self._sent < store.seq and len(self._flying) < _WINDOW:
            body = store.body(self._sent + 1)
            if body is not None:
                self._pass(body)
                return self._sealed(self._sent, body)
            if not self._flying:  # what came before it has to be settled first
                store.skip(self._sent + 1)
                self.rewind()
                return self._lost()
        return None

    def _pass(self, body: bytes) -> None:
        self._sent += 1
        self._digest = seal.chain(self._digest, self.store.epoch, self._sent, body)
        self._flying.append((self._sent, self._digest))

    def _agree(self) -> bool:
        # Whether what the gateway has is what this log says. It may have had some before this board
        # restarted: that is read, and not sent.
        store = self.store
        if self._over:
            return self._overtake()
        while self._sent < self._stored:
            if self._sent >= store.seq:
                return self._overtake()
            body = store.body(self._sent + 1)
            if body is None:
                # It has them all: nothing is lost, unless there is less left than it has.
                store.skip(self._sent + 1)
                self._flying.clear()
                self._sent, self._digest = store.settled
                if self._sent <= self._stored:
                    store.settle(self._sent, self._digest)
                    self._flying.append(store.settled)
                continue
            self._flying.clear()
            self._pass(body)
        for seq, digest in self._flying:
            if seq == self._stored and self._held and self._held != digest:
                return self._overtake()
        self._agreed = self._stored
        return True

    def _overtake(self) -> bool:
        from doorward_node import behind

        self._copy = behind.Copy(self.store, self._stored, self._began, self._over)
        forget("behind")
        self._over = False
        self._flying.clear()
        self._stored = 0
        self.rewind()
        self._began = self.store.seq
        self._asked = self.renewed = True
        return False

    def _lost(self) -> bytes:
        # In the place of all that is gone, with the digest that what follows continues.
        seq, digest = self.store.settled
        self._told = True
        self._flying.append((seq, digest))
        first = self.store.lost
        data: "dict[str, object]" = {"first": abs(first), "last": seq, "digest": hexed(digest)}
        if first < 0:
            data["behind"] = True
        return self._sealed(seq, self._event("lost", data, self.stamp(), seq))

    def _sealed(self, seq: int, body: bytes) -> bytes:
        word = seal.event_word(self.store.epoch, seq)
        return seal.seal(self.keys, topics.EVENTS, word, body, self._digest)

    def acknowledged(
        self, epoch: str, seq: int, digest: "bytes | None" = None, over: bool = False
    ) -> None:
        # The gateway has stored everything up to seq, and this is its digest there (an older one does
        # not say it). Only a note: upload() compares, and drops it from flash. over: it takes no more.
        if epoch != self.store.epoch:
            return
        self._asked = False
        self._over = over
        if self._stored < seq <= (_MOST if digest else self.store.seq):
            self._stored = seq
            self._held = digest

    def waiting(self) -> bool:
        # True if something is on its way that nobody has acknowledged.
        return self._asked or bool(self._flying)

    def greet(self) -> "tuple[int, bytes, int]":
        # As rewind(), for a hello; and the first that is lost up to there, or 0. Nothing is sent until
        # the gateway has said what it holds.
        seq, digest = self.rewind()
        self.renewed = False
        self._asked = True
        return seq, digest, abs(self.store.lost)

    def rewind(self) -> "tuple[int, bytes]":
        # Sends again what was not acknowledged: after a new connection, or a long silence. Returns
        # the last number that will not be sent again, and the digest there.
        if self._stored > self._sent or self._agree():
            self._settle()
        self._sent, self._digest = self.store.settled
        # A gateway that was restored from a backup may have said more than it knows now.
        self._stored = self._agreed = self._sent
        self._held = None
        self._told = self._asked = self._over = False
        self._flying.clear()
        return self.store.settled

    def _settle(self) -> None:
        while self._flying and self._flying[0][0] <= self._agreed:
            self.store.settle(*self._flying.pop(0))
