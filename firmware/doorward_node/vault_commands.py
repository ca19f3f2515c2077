# Commands that a vault knows beyond a door's: the lockout, its end, and the keep-alive.

from doorward_core.compat import const, ticks_diff
from doorward_core.messages import number
from doorward_node.commands import Commands

_INTERVAL_S = const(30)


class VaultCommands(Commands):
    # vault: node.vault.Vault; taps: node.taps.Taps. control: whether the keep-alives come; None
    # before the first.
    def __init__(self, vault, taps):
        super().__init__(vault)
        self.taps = taps
        self.control = None
        self._heard = self._patience_ms = 0

    def challenged(self, name, command_id, parameters, now):
        # In profile `secure` a release ends the lockout, whether it unlocks or not; in `classic` the
        # clock alone does.
        if name == "unlock":
            number(parameters, "seconds", 1, 60)
        elif name != "release":
            return "refused"
        gate = self.doorway.gate
        ended = False
        if gate.hold_ms is None:
            ended = gate.release(now, {"cause": "release", "command_id": command_id})
        if name == "release":
            return "done" if ended else "already"
        return super().challenged(name, command_id, parameters, now)

    def stated(self, name, parameters, now):
        if name == "keepalive":
            interval = _INTERVAL_S
            if "interval_s" in parameters:
                interval = number(parameters, "interval_s", 1, 3600)
            self._patience_ms = interval * 2000
            self._heard = now
            self._has_control(True)
        elif name == "lockout":
            # Whoever is being looked at right now is too late.
            self.taps.give_up(now)
            return "done" if self.doorway.gate.lock(now, {"cause": "command"}) else "already"
        else:
            return super().stated(name, parameters, now)
        return "done"

    def expire(self, now):
        super().expire(now)
        if self.control and ticks_diff(now, self._heard) > self._patience_ms:
            self._has_control(False)

    def _has_control(self, it_has):
        if self.control is not it_has:
            self.control = it_has
            self.doorway.changed = True
