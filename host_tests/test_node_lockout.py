# The vault's count on flash: paid before anybody looks, read again after a start, never forgiven by a
# file that is not what was written.

import os

import scratch

from doorward_core import lockout as core
from doorward_core.compat import ticks_add
from doorward_node import files
from doorward_node.lockout import Lockout

START = (1 << 30) - 500
PIN = b"P\x12\x34\xff\xff"


class Vault:
    def __init__(self, hold_ms=None, folder=None):
        self.folder = folder or scratch.folder()
        self.path = self.folder + "/lockout"
        self.hold_ms = hold_ms
        self.boot()

    def boot(self, now=START):
        self.log = []
        self.gate = Lockout(self.path, self.hold_ms, lambda *event: self.log.append(event), now)

    def wrong(self, times):
        # How many of these wrong attempts were looked at.
        looked_at = 0
        for _ in range(times):
            if self.gate.step("show", PIN, START):
                looked_at += 1
                self.gate.step("refused", PIN, START)
        return looked_at

    def kinds(self):
        return [kind for kind, _ in self.log]


def test_five_do_not_lock_and_the_sixth_does():
    vault = Vault()
    assert vault.wrong(5) == 5 and not vault.gate.held and vault.log == []
    assert vault.wrong(5) == 1 and vault.gate.held
    assert vault.log == [("lockout.entered", {"attempts": 6, "cause": "attempts"})]
    assert vault.gate.turned_away == 4


def test_an_attempt_is_on_flash_before_it_has_a_verdict():
    vault = Vault()
    for number in range(1, 7):
        assert vault.gate.step("show", PIN, START)
        held = Lockout(vault.path, None, lambda *event: None, START)
        assert held.attempts == number and held.held == (number == 6)
        vault.gate.step("refused", PIN, START)


def test_a_cut_before_the_sixth_verdict_locks_and_is_told():
    vault = Vault()
    vault.wrong(5)
    assert vault.gate.step("show", PIN, START)
    vault.boot()
    assert vault.gate.held and vault.wrong(1) == 0
    assert vault.log == [("lockout.entered", {"attempts": 6, "cause": "start"})]


def test_who_is_let_in_begins_anew_also_after_a_start():
    vault = Vault()
    vault.wrong(5)
    assert vault.gate.step("show", PIN, START)
    vault.gate.step("granted", PIN, START)
    vault.boot()
    assert vault.gate.attempts == 0 and vault.wrong(6) == 6


def test_a_start_begins_the_classic_hold_again():
    vault = Vault(core.CLASSIC_MS)
    vault.wrong(6)
    late = ticks_add(START, 29999)
    vault.gate.step("tick", PIN, late)
    assert vault.gate.held
    vault.boot(late)
    vault.gate.step("tick", PIN, ticks_add(late, 29999))
    assert vault.gate.held
    vault.gate.step("tick", PIN, ticks_add(late, 30000))
    assert not vault.gate.held
    assert vault.log[-1] == ("lockout.cleared", {"cause": "time", "turned_away": 0})
    vault.boot(late)
    assert not vault.gate.held and vault.wrong(6) == 6


def test_only_a_release_ends_the_secure_hold_and_a_start_does_not():
    vault = Vault()
    vault.wrong(7)
    vault.gate.step("tick", PIN, ticks_add(START, 400000000))
    vault.boot()
    assert vault.gate.held
    assert vault.gate.release(START, {"cause": "release", "command_id": "c1"})
    assert vault.log[-1][1]["command_id"] == "c1"
    assert not vault.gate.release(START, {})
    vault.boot()
    assert not vault.gate.held and vault.gate.attempts == 0 and vault.log == []


def test_a_commanded_lockout_survives_a_start():
    vault = Vault()
    vault.wrong(2)
    assert vault.gate.lock(START, {"cause": "command"}) and not vault.gate.lock(START, {})
    vault.boot()
    assert vault.gate.held and vault.gate.attempts == 2


def test_a_file_that_is_not_what_was_written_locks():
    vault = Vault()
    vault.wrong(3)
    good = files.read(vault.path)
    spoilt = [good[:end] for end in range(len(good))] + [good + b"0", b"0 0 00000000", b"\xff" * 16]
    for index in range(len(good)):
        for bit in range(8):
            changed = bytearray(good)
            changed[index] ^= 1 << bit
            spoilt.append(bytes(changed))
    for data in spoilt:
        files.replace(vault.path, data)
        vault.boot()
        assert vault.gate.held and vault.wrong(1) == 0, data
    files.replace(vault.path, good)
    vault.boot()
    assert not vault.gate.held and vault.gate.attempts == 3


def test_a_file_that_cannot_be_read_locks_and_none_at_all_does_not():
    folder = scratch.folder()
    os.mkdir(folder + "/lockout")
    assert Vault(folder=folder).gate.held
    assert not Vault().gate.held


def test_a_flash_that_takes_nothing_lets_nobody_try():
    vault = Vault()
    vault.wrong(2)
    os.mkdir(vault.path + ".new")
    assert vault.wrong(3) == 0
    os.rmdir(vault.path + ".new")
    # In RAM they were paid for: five, and one more.
    assert vault.gate.attempts == 5 and vault.wrong(2) == 1 and vault.gate.held


def test_a_locked_vault_wears_no_flash():
    vault = Vault()
    vault.wrong(6)
    files.remove(vault.path)
    assert vault.wrong(1000) == 0
    vault.gate.step("tick", PIN, ticks_add(START, 1000))
    assert files.read(vault.path) is None and vault.kinds() == ["lockout.entered"]
