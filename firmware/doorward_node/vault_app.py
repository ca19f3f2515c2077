# The vault board at work: a door's loops, and what a vault says beyond a door.

import gc
from time import ticks_ms

from doorward_core import board_messages, topics, vault_messages
from doorward_core.compat import const, ticks_diff
from doorward_core.lockout import LIMIT
from doorward_node import VERSION
from doorward_node.app import App
from doorward_node.vault_commands import VaultCommands

_METRICS = "telemetry/metrics"
_METRICS_S = const(30)
_TURN_MS = const(50)


class VaultApp(App):
    # doorway: node.vault.Vault; taps: with its node.lockout.Lockout for a gate.
    def __init__(self, prefix, session, clock, journal, credentials, doorway, taps, now):
        super().__init__(prefix, session, clock, journal, credentials, doorway, taps, now)
        self.gate = doorway.gate
        self.commands = VaultCommands(doorway, taps)
        self._silent = self._greet = False
        self._connects = self._turns = 0
        self._metrics_due = 0
        self._attempts = 0
        self._measured = now

    def _counts_down(self):
        # Profile `classic`, locked: nothing is said until the hold is over.
        return self.gate.held and self.gate.hold_ms is not None

    def _talk(self, now, uptime):
        self._turns += 1
        if self._counts_down():
            if not self._silent and self.gate.attempts > LIMIT:
                # It found out by itself, and so it says that much.
                self._metrics(now, uptime)
                self._report()
            self._silent = True
            return
        self._silent = False
        if self._greet:
            self._on_up()
        super()._talk(now, uptime)
        if uptime >= self._metrics_due or self.gate.attempts != self._attempts:
            self._metrics(now, uptime)

    def _send(self, suffix, payload, retain=False, qos=1):
        if self._counts_down() and (self._silent or self.gate.attempts <= LIMIT):
            return False
        return super()._send(suffix, payload, retain, qos)

    def _on_up(self):
        self._connects += 1
        # Nobody counted turns while there was no link, and ticks may have wrapped.
        self._measured = ticks_ms()
        self._turns = 0
        self._greet = self._counts_down()
        if not self._greet:
            super()._on_up()

    def _report(self):
        self.doorway.changed = False
        state, error = self.doorway.status()
        lock, contact, alarm = self.doorway.report()
        left = self.gate.left(ticks_ms()) if self.gate.held else None
        hold_s = None if left is None else left // 1000 + 1
        more = vault_messages.status(state, error, self.commands.control, hold_s)
        self._add_states(more)
        version = self.credentials.version()
        self.say(
            topics.REPORTED,
            board_messages.reported(lock, contact, alarm, version, VERSION, more),
            True,
        )

    def _metrics(self, now, uptime):
        self._metrics_due = uptime + _METRICS_S
        self._attempts = self.gate.attempts
        passed = ticks_diff(now, self._measured)
        # What the background's turns were late: others had the processor, or it had.
        cpu = 100 - min(100, self._turns * _TURN_MS * 100 // passed) if passed else 0
        self._measured = now
        self._turns = 0
        network = {
            "rssi": self.wifi.signal() if self.wifi else None,
            "connects": self._connects,
            "refused": self.session.refused,
        }
        heap = gc.mem_alloc(), gc.mem_free()
        stamp = self.clock.stamp(now)[0]
        body = vault_messages.metrics(self._attempts, cpu, heap, network, uptime, stamp)
        self.say(_METRICS, body)
