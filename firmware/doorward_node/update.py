# A new firmware over the network: offered, signed, pulled piece by piece into the other slot.
# Loaded when one is offered, and forgotten again; the door goes on meanwhile.
#
#   /firmware.key   the RSA modulus of who may sign
#   /update         the newest order, and how far it is: see updated.py
#   /update.part    its manifest as far as it has come; whole, it is the /update.json of install.py
#
# After a cut, a restart or a broken link the gateway offers again, and pulling goes on where it
# stopped.

import hashlib
import os
from binascii import a2b_base64, hexlify
from time import ticks_ms

from doorward_core.compat import const, ticks_diff
from doorward_core.messages import MessageError, decode, encode, number, raw, text
from doorward_core.seal import SealError
from doorward_node import files, forget

_ASK_AGAIN_S = const(3)
# Who has not answered for so long is not waited for: it offers again.
_SILENCE_S = const(60)
# Work in one turn of the background; what is begun is finished, a piece of 1 KiB on flash.
_TURN_MS = const(10)
# The log's last word goes out before the board starts again.
_LAST_WORD_S = const(2)
_LONGEST_MANIFEST = const(32768)
_ORDER = "/update.json"


class Update:
    def __init__(self, root=""):
        self._root = root
        self._number = 0
        self._offer = ("", 0, b"")
        self._until = 0
        self._work = self._want = self._chunk = self._asked = None
        self._install = None
        self._heard = self._uptime = 0

    def turn(self, app, heard, uptime):
        # A little work: what to publish as commands/ack, b"" for nothing, None when no work is left.
        # heard: (counter, body) with a good seal that came on commands/firmware, or None. uptime
        # in s.
        self._uptime = uptime
        try:
            if heard:
                self._heard = uptime
                self._hear(app, heard[0], decode(heard[1]))
            if not self._work:
                return None
            since = ticks_ms()
            while ticks_diff(ticks_ms(), since) < _TURN_MS:
                if self._want is not None and not self._chunk:
                    return self._ask(app)
                next(self._work)
        except StopIteration:
            self._work = None
        except SealError as error:
            app.session.refuse(error.reason)
        except MessageError as error:
            app.session.refuse("field " + error.field)
        except OSError:
            self._refuse(app, "flash")
        except MemoryError:
            self._refuse(app, "memory")
        except ValueError as error:
            # Of an Install, or of our own: its word says why.
            self._refuse(app, str(error))
        return b"" if self._work else None

    def _ask(self, app):
        utc = _utc(app)
        if self._uptime - self._heard > _SILENCE_S or utc > self._until:
            self.close()
            return None
        if not (utc and app.link.up):
            return b""
        if self._asked is not None and self._uptime < self._asked + _ASK_AGAIN_S:
            return b""
        self._asked = self._uptime
        return encode({"want": "firmware", "version": self._number, "offset": self._want})

    # --- what comes ---

    def _hear(self, app, counter, fields):
        if "data" in fields:
            self._take(counter, fields)
            return
        known = self._known()
        order = int(known[0])
        digest = raw(fields, "digest", 32)
        if counter < order:
            return
        if counter == order and known[3] != hexlify(digest).decode():
            raise SealError("replay")
        if counter == order and known[4] != "-":
            return  # it is over
        if self._work and counter == self._number:
            return  # offered again while it is at work
        if len((files.read(self._root + "/slot") or b"").split()) == 5:
            return  # first the one that is on trial
        version = text(fields, "version", 32)
        if version.split() != [version]:
            # In /update it would be another number of words, and nothing there could be read again.
            raise MessageError("version", "one word")
        until = number(fields, "until")
        if _utc(app) > until:
            raise SealError("late")
        self.close()
        self._until = until
        self._number = counter
        self._offer = (
            version,
            number(fields, "size", 1, _LONGEST_MANIFEST),
            digest,
        )
        self._work = self._run(app, a2b_base64(text(fields, "signature", 512)), counter == order)

    def _take(self, counter, fields):
        if counter != self._number or self._asked is None or self._chunk:
            return
        if number(fields, "offset") == self._want:
            self._chunk = a2b_base64(text(fields, "data", 1024)) or None

    # --- the work, piece by piece ---

    def _run(self, app, signed, again):
        _version, size, digest = self._offer
        modulus = files.read(self._root + "/firmware.key")
        from doorward_node import signature

        good = yield from signature.checking(digest, signed, modulus or b"")
        forget("signature")
        del signature
        if not good:
            self._note(".")
            raise ValueError("signature" if modulus else "key")
        del signed, modulus
        if not again:
            files.remove(self._root + _ORDER)
            files.remove(self._root + "/update.part")
            self._note("-")
        if not _size(self._root + _ORDER):
            yield from self._manifest(size, digest)
        from doorward_node import install

        self._install = at = install.Install(self._root)
        forget("install")
        del install
        while not at.step():
            if at.wanted:
                path, offset = at.wanted
                self._want = size + at.before + offset
                while not self._chunk:
                    yield
                at.take(path, offset, self._taken())
            yield
        at.switch()
        self._note(at.slot)
        self._tell(app, "installed")
        self._install = None
        until = self._uptime + _LAST_WORD_S
        while self._uptime < until:
            yield
        app.restart()

    def _manifest(self, size, digest):
        path = self._root + "/update.part"
        while True:
            self._want = _size(path)
            if self._want >= size:
                break
            while not self._chunk:
                yield
            data = self._taken()
            with open(path, "ab") as file:
                file.write(data)
        self._want = None
        found = hashlib.sha256()
        with open(path, "rb") as file:
            piece = file.read(512)
            while piece:
                found.update(piece)
                piece = file.read(512)
        if found.digest() != digest:
            # Not what was signed: whatever sent it, it is asked for anew.
            files.remove(path)
            raise ValueError("manifest")
        os.rename(path, self._root + _ORDER)

    def _taken(self):
        data, self._chunk = self._chunk, None
        self._want = self._asked = None
        return data

    # --- what becomes of it ---

    def _known(self):
        # The words in /update.
        words = (files.read(self._root + "/update") or b"").decode().split()
        return words if len(words) == 5 else ["0", "", "", "", "."]

    def _note(self, state):
        version, size, digest = self._offer
        words = (str(self._number), version, str(size), hexlify(digest).decode(), state)
        files.replace(self._root + "/update", " ".join(words).encode())

    def _tell(self, app, state, reason=None):
        data = {"order": self._number, "version": self._offer[0], "state": state}
        if reason:
            data["reason"] = reason
        app.journal.add("update", data)

    def _refuse(self, app, reason):
        self.close()
        files.remove(self._root + _ORDER)
        try:
            self._note(".")
        except OSError:
            pass  # a full flash: the next offer tries it again
        self._tell(app, "refused", reason)

    def close(self):
        if self._install:
            self._install.close()
        if self._work:
            self._work.close()
        self._install = self._work = self._want = self._chunk = self._asked = None


def _utc(app):
    # 0 until the gateway has told the time. Before that nothing is asked for, and what was not asked
    # for is not taken: whoever kept an offer back, or its last piece, cannot have a firmware
    # installed with it that was called back long ago.
    return app.clock.utc(ticks_ms()) or 0


def _size(path):
    try:
        return os.stat(path)[6]
    except OSError:
        return 0
