# Who may try at a vault: doorward_core.lockout, with its count on flash.
#
#   <path>     "<attempts> <0 or 1: held> <CRC-32, hex>"
#
# An attempt is charged there before anybody looks at it. A file that cannot be read, or is not what
# was written, is one attempt too many.

import binascii

from doorward_core import lockout
from doorward_core.compat import const, ticks_diff
from doorward_node import files

_GONE = const(2)  # ENOENT
_LONGEST = const(32)


class Lockout:
    # What Taps asks before and tells after a tap. hold_ms: lockout.CLASSIC_MS, or None to hold until
    # it is released; log(type, data).
    guarded = waits = False  # as a door's back-off has them

    def __init__(self, path, hold_ms, log, now):
        self.path = path
        self.hold_ms = hold_ms
        self.log = log
        self.turned_away = 0
        self._written = True
        attempts, held = _load(path)
        self._state = lockout.start(attempts, held, now, hold_ms)
        if self.held:
            # The power may have gone before this was in the log.
            log("lockout.entered", {"attempts": attempts, "cause": "start"})

    @property
    def held(self):
        return self._state.phase == "held"

    @property
    def attempts(self):
        # Since somebody was let in: what the metrics call login_attempts.
        return self._state.attempts

    def left(self, now):
        # ms until the lockout is over; None until it is released.
        deadline = self._state.deadline
        return None if deadline is None else max(0, ticks_diff(deadline, now))

    def step(self, event, credential, now):
        # event: "show", true if a credential may be looked at, for then the attempt is paid for; its
        # verdict "granted" or "refused"; or "tick".
        if event != "show":
            return self._step(event, now, {"cause": "time" if event == "tick" else "attempts"})
        if self.held:
            self.turned_away += 1
        if not self._step("attempt", now, {}):
            return False
        if not self._written:
            self.step("refused", credential, now)
        return self._written

    def lock(self, now, cause):
        # Nobody gets another try, as after one too many. cause: for the log. False if it was so.
        return bool(self._step("lockout", now, cause))

    def release(self, now, cause):
        # Ends the lockout and forgets the attempts. False if there was none.
        return bool(self._step("release", now, cause))

    def _step(self, event, now, data):
        self._state, effects = lockout.step(self._state, event, now, self.hold_ms)
        for effect in effects:
            if effect == "persist":
                self._written = self._persist()
                continue
            if effect == "lockout.entered":
                data["attempts"] = self.attempts
            else:
                data["turned_away"] = self.turned_away
                self.turned_away = 0
            self.log(effect, data)
        return effects

    def _persist(self):
        # False if flash takes nothing: what is in RAM holds until the power goes.
        data = b"%d %d" % (self.attempts, self.held)
        try:
            files.replace(self.path, data + b" %08x" % binascii.crc32(data))
        except OSError:
            return False
        return True


def _load(path):
    # (attempts, held) as they were written.
    try:
        with open(path, "rb") as file:
            data = file.read(_LONGEST)
    except OSError as error:
        return (0, False) if error.errno == _GONE else (lockout.LIMIT + 1, True)
    words = data.split(b" ")
    if len(words) == 3 and data[-8:] == b"%08x" % binascii.crc32(data[:-9]):
        return int(words[0]), words[1] == b"1"
    return lockout.LIMIT + 1, True
