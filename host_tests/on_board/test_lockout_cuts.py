# The vault's count on a real LittleFS, with the power cut at every operation of its flash.

import vfs
from nor import Nor

from doorward_core import lockout as core
from doorward_node import files
from doorward_node.lockout import Lockout

PIN = b"P\x12\x34\xff\xff"
ROOT = "/cut"
BLOCKS = 24


class Cut(Exception):
    pass


class Vault:
    def __init__(self, hold_ms=None):
        self.flash = Nor(BLOCKS)
        self.hold_ms = hold_ms
        self.looked_at = 0
        vfs.VfsLfs2.mkfs(self.flash)
        self.boot()

    def boot(self):
        # Power comes back: the same cells, and nothing else of before.
        self.flash = self.flash.again()
        try:
            vfs.umount(ROOT)
        except OSError:
            pass  # the first time
        vfs.mount(vfs.VfsLfs2(self.flash), ROOT)
        self.gate = Lockout(ROOT + "/lockout", self.hold_ms, lambda *event: None, 0)

    def wrong(self, times):
        for _ in range(times):
            admitted = self.gate.step("show", PIN, 0)
            if self.flash.dead:
                raise Cut  # closing the file hid it
            if admitted:
                self.looked_at += 1
                self.gate.step("refused", PIN, 0)

    def cut(self, left, torn, work):
        # Does the work, with the power cut at that operation: False if there are not so many.
        self.flash.left = left
        self.flash.torn = torn
        try:
            work()
        except Cut:
            pass
        if self.flash.dead:
            self.boot()
            return True
        self.flash.left = -1
        return False


def every_cut(work, prepare=None, hold_ms=None):
    # Each vault once for every operation of its flash, clean and torn, after its power came back.
    for torn in (False, True):
        left = 0
        while True:
            vault = Vault(hold_ms)
            if prepare:
                prepare(vault)
            if not vault.cut(left, torn, lambda: work(vault)):
                break
            yield vault
            left += 1
        if not left:
            raise AssertionError("nothing was written")


def guess(vault):
    vault.wrong(10)


def test_no_cut_gives_a_free_try():
    cuts = 0
    for hold_ms in (None, core.CLASSIC_MS):
        for vault in every_cut(guess, hold_ms=hold_ms):
            cuts += 1
            vault.wrong(10)
            assert vault.gate.held
            assert 5 <= vault.looked_at <= 6, vault.looked_at
    assert cuts >= 40, cuts


def test_cuts_at_every_try_cost_tries():
    # As an attacker would: the power goes at the same place of every single attempt.
    for left in range(12):
        vault = Vault()
        for _ in range(40):
            vault.cut(left, left % 2, lambda: vault.wrong(1))
        assert vault.looked_at <= 6, (left, vault.looked_at)


def test_a_cut_release_or_refund_leaves_the_one_or_the_other():
    def release(vault):
        vault.gate.release(0, {})

    for vault in every_cut(release, prepare=guess):
        assert vault.gate.held or vault.gate.attempts == 0

    def admitted(vault):
        vault.wrong(5)
        vault.gate.step("show", PIN, 0)

    for vault in every_cut(lambda vault: vault.gate.step("granted", PIN, 0), prepare=admitted):
        assert vault.gate.held or vault.gate.attempts == 0


def test_a_commanded_lockout_that_was_cut_is_there_or_not_and_the_count_stays():
    def three(vault):
        vault.wrong(3)

    for vault in every_cut(lambda vault: vault.gate.lock(0, {}), prepare=three):
        assert vault.gate.attempts == 3


def free_tries():
    # How many tries somebody got who cut the power at the same place of every attempt.
    most = 0
    for left in range(12):
        vault = Vault()
        for _ in range(40):
            vault.cut(left, False, lambda: vault.wrong(1))
            vault.boot()
        most = max(most, vault.looked_at)
    return most


def test_mutants_are_caught():
    # A count in RAM; one that is written after the look; one that is removed before it is written.
    persist, replace = Lockout._persist, files.replace

    def late(gate):
        if gate._state.phase != "checking":
            persist(gate)
        return True

    def remove_first(path, data):
        files.remove(path)
        replace(path, data)

    assert free_tries() <= 6
    try:
        Lockout._persist = lambda gate: True
        assert free_tries() > 6
        Lockout._persist = late
        assert free_tries() > 6
        Lockout._persist = persist
        files.replace = remove_first
        assert free_tries() > 6
    finally:
        Lockout._persist, files.replace = persist, replace


def test_an_attempt_costs_few_operations():
    # Wear under attack: an erase of a 4 KiB block is what flash does not like.
    vault = Vault()
    vault.wrong(5)
    before = vault.flash.operations()
    for _ in range(200):
        vault.gate.release(0, {})
        vault.gate.step("show", PIN, 0)
        vault.gate.step("granted", PIN, 0)
    assert (vault.flash.operations() - before) / 400 < 5
