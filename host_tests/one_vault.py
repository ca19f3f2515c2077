# One vault board's node parts, wired as roles/vault.py does, with a hand-made bolt and a ruled clock.

import scratch
from one_door import START, Records, Site

from doorward_core import access_values, door
from doorward_core.compat import ticks_add
from doorward_node.lockout import Lockout
from doorward_node.taps import Taps
from doorward_node.vault import Vault
from doorward_node.vault_commands import VaultCommands


class Bolt:
    # Remembers every move: the witness of these tests. It arrives at the next sample unless stuck.
    def __init__(self):
        self.moves = []
        self.state = "locked"
        self.stuck = False
        self._wanted = None

    def unlock(self, now):
        self._move("unlocked")

    def lock(self, now):
        self._move("locked")

    def _move(self, wanted):
        self.moves.append(wanted)
        self._wanted = wanted
        self.state = "moving"

    def force(self):
        self._wanted = "unlocked"

    def sample(self, now):
        if self._wanted is None:
            return False
        self.state = "jammed" if self.stuck else self._wanted
        self._wanted = None
        return True


class VaultSite(Site):
    def __init__(self, hold_ms=None, folder=None):
        super().__init__("vault")
        self.folder = folder or scratch.folder()
        self.hold_ms = hold_ms
        self.start()

    def start(self):
        # Power comes back.
        self.log = []
        self.bolt = Bolt()
        self.records = Records()
        self.records.config = access_values.Door()
        gate = Lockout(self.folder + "/lockout", self.hold_ms, self.note, self.now)
        self.gate = gate
        self.door = Vault(self.bolt, gate, door.Settings(), self.note, self.now)
        self.taps = Taps(0, self.session, self.records, self.clock, self.door, self.note, gate)
        self.commands = VaultCommands(self.door, self.taps)

    def unlocks(self):
        return self.bolt.moves.count("unlocked")


__all__ = ("START", "Bolt", "VaultSite", "ticks_add")
