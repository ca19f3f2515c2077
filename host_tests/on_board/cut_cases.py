# What a board does with its flash, and what has to be true after the power went in the middle of it:
# for test_powercut.py, which tries some of the cuts, and bench/powercut.py, which tries them all.

import gc
import hashlib
import json

import vfs
from lab_by_hand import power_up
from nor import BLOCK, Nor, Sectors
from one_door import START, UID, Site, time_is
from one_log import Gateway, in_files, on_flash

from doorward_core import gateway_messages, gateway_seal, records_build, schedule, seal, topics
from doorward_core.compat import ticks_add
from doorward_drivers import strike
from doorward_node import rekey
from doorward_node.credentials import Credentials
from doorward_node.lockout import Lockout

ROOT = "/cut"
# Small ones, so that the log goes round often.
_SECTOR = 1024
BLOCKS = 32
KEYS = seal.Keys("front", bytes(range(32)))
FOLDER = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
STRIKE = 25


# One piece, for all: a heap with many of them would soon have no room for the next.
_CELLS = bytearray(BLOCKS * BLOCK)
_SECTORS = bytearray(2 * BLOCK)


def erased(cells):
    for at in range(0, len(cells), BLOCK):
        cells[at : at + BLOCK] = b"\xff" * BLOCK
    return cells


class Files:
    # A flash with files. system: LittleFS, as boards have it; or FAT, which is a mutant.
    system = vfs.VfsLfs2

    def __init__(self):
        try:
            vfs.umount(ROOT)
        except OSError:
            pass  # the first time
        self.flash = (Sectors if self.system is vfs.VfsFat else Nor)(0, erased(_CELLS))
        self.system.mkfs(self.flash)
        self.mount()

    def again(self):
        # Power comes back: the same cells, and nothing else of before.
        self.flash = self.flash.again()
        vfs.umount(ROOT)
        self.mount()

    def mount(self):
        vfs.mount(self.system(self.flash), ROOT)


class Partition:
    def __init__(self):
        self.flash = Nor(0, erased(_SECTORS), True, _SECTOR)

    def again(self):
        self.flash = self.flash.again()


class Log:
    # Events are written, sent and acknowledged while the power goes: what flush() has returned for is
    # not lost, comes in order, and once.
    def __init__(self, on, prepared):
        self.on = on
        self.gateway = Gateway()
        self.kept = []
        self.log = self._open()
        self._write(prepared)

    def _open(self):
        if isinstance(self.on, Partition):
            return on_flash(self.on.flash)
        return in_files(ROOT + "/log")

    def work(self):
        self._write(self.length)

    def _write(self, count):
        for number in range(count):
            self.log.add("access.decision", {"n": self.log.store.seq + 1, "tag": "00" * 12})
            self.log.flush()
            if self.on.flash.dead:
                return
            self.kept.append(self.log.store.seq)
            if number % 3 == 2:
                self._exchange(3)
            if self.on.flash.dead:
                return

    def _exchange(self, most):
        payload = self.log.upload() if most else None
        while payload and most and not self.on.flash.dead:
            self.log.acknowledged(*self.gateway.take(payload))
            most -= 1
            payload = self.log.upload() if most else None

    def check(self, tally):
        self.log = self._open()
        self.log.add("boot", {})
        self.log.flush()
        self._exchange(1000)
        for seq in self.kept:
            event = json.loads(self.gateway.bodies.get(seq, b"{}"))
            if event.get("data", {}).get("n") != seq:
                tally["acked_lost"] += 1
        self.kept.clear()
        for kept in (self.gateway.seqs, self.gateway.bodies, self.gateway.digests):
            kept.clear()


class Ring(Log):
    length = 80

    def __init__(self):
        super().__init__(Partition(), 20)


class Segments(Log):
    length = 40

    def __init__(self):
        super().__init__(Files(), 2)


class Cache:
    # Version 4, without five people, takes the place of version 3: the one or the other, whole, and
    # never the older again.
    def __init__(self):
        self.on = Files()
        self.files = {3: cards(3, 0, 60), 4: cards(4, 5, 65)}
        self.copy = Credentials(ROOT, KEYS)
        self._pull(3)

    def _pull(self, version):
        file = self.files[version]
        body = gateway_messages.config(
            version, len(file), hashlib.sha256(file).digest(), 4000, 9000, 9000
        )
        word = gateway_seal.counter_word(version)
        self.copy.configure(version, body, seal.seal(KEYS, topics.CONFIG, word, body))
        for _ in range(40):
            self.copy.store()
            wanted = self.copy.want(0)
            if wanted:
                offset = json.loads(wanted)["offset"]
                self.copy.take(version, gateway_messages.cache_chunk(version, offset, file))

    def work(self):
        self._pull(4)

    def close(self):
        if self.copy._cache:
            self.copy._cache.close()

    def check(self, tally):
        self.copy = Credentials(ROOT, KEYS)
        version = self.copy.version()
        if self._known() != {3: (0, 59), 4: (5, 64)}.get(version):
            tally["half_updates"] += 1
        try:
            self._pull(3)
        except seal.SealError:
            pass
        if self.copy.version() < version:
            tally["half_updates"] += 1
        self._pull(4)
        if self.copy.version() != 4 or self._known() != (5, 64):
            tally["half_updates"] += 1
        self.close()

    def _known(self):
        # The first and the last whom the copy lets in; None unless it is all between them.
        known = [n for n in range(66) if self.copy.lookup(n.to_bytes(7, "big"), None, 0)]
        if not known or len(known) != known[-1] + 1 - known[0]:
            return None
        return known[0], known[-1]


def cards(version, first, end):
    marks = [(seal.tag(KEYS, n.to_bytes(7, "big")), 0, 1) for n in range(first, end)]
    windows = [(1, 1) + schedule.ALWAYS[0]]
    return records_build.build(KEYS, version, 1, 100, 200, windows, [(None, None, 0)], marks)


class Key:
    # A new device key: the old one or the new one, and a config.json that can be read.
    def __init__(self):
        self.on = Files()
        with open(ROOT + "/config.json", "w") as file:
            json.dump({"key": "00" * 32, "key_epoch": 1, "padding": "x" * 900}, file)

    def work(self):
        body = gateway_messages.command("rekey", {"epoch": 2, "key": "11" * 32}, "c", "", 9)
        rekey.install(ROOT + "/config.json", KEYS, bytes(16), body)

    def check(self, tally):
        try:
            with open(ROOT + "/config.json") as file:
                config = json.load(file)
            whole = len(config["key"]) == 64 and config["key_epoch"] in (1, 2)
            whole = whole and (config["key"] == "00" * 32) == (config["key_epoch"] == 1)
        except (OSError, ValueError):
            whole = False
        if not whole:
            tally["half_updates"] += 1


class Tries:
    # Whoever cuts the power while they try codes gets no more tries than anybody else.
    PIN = b"P\x12\x34\xff\xff"

    def __init__(self):
        self.on = Files()
        self.looked_at = 0
        self._open()

    def _open(self):
        self.gate = Lockout(ROOT + "/lockout", None, lambda *event: None, 0)

    def work(self):
        for _ in range(10):
            admitted = self.gate.step("show", self.PIN, 0)
            if self.on.flash.dead:
                return
            if admitted:
                self.looked_at += 1
                self.gate.step("refused", self.PIN, 0)

    def check(self, tally):
        self._open()
        self.work()
        if self.looked_at > 6:
            tally["free_tries"] += self.looked_at - 6


class Unlock:
    # A card releases the door while nobody is online, and all of it is written down: whenever the
    # power goes, the relay's edges after it are those of a door that stays locked.
    def __init__(self):
        Cache.__init__(self)
        Cache.close(self)
        with open(ROOT + "/config.json", "w") as file:
            json.dump({"pins": {"strike": {"pin": STRIKE, "active": 1}}}, file)

    def _pull(self, version):
        Cache._pull(self, version)

    def _boot(self):
        self.lab = power_up()
        with open(FOLDER + "/../../firmware/boot.py") as file:
            exec(file.read().replace('"/', '"' + ROOT + "/"), {})
        self.site = Site(key=KEYS._secret)
        time_is(self.site, 100)
        self.log = in_files(ROOT + "/log")
        self.copy = Credentials(ROOT, KEYS)
        self.site.door.strike = strike.make({"pin": STRIKE, "active": 1})
        self.site.door.log = self.site.taps.log = self.log.add
        self.site.taps.credentials = self.copy
        self.site.now = START
        locked = self.lab.edges(STRIKE)
        assert locked == [0], locked

    def work(self):
        self._boot()
        for uid in (UID, (7).to_bytes(7, "big"), (8).to_bytes(7, "big")):
            self.site.tap(uid, online=False)
            self._turns(6)
        Cache.close(self)

    def _turns(self, count):
        for _ in range(count):
            self.site.now = ticks_add(self.site.now, 300)
            self.site.door.tick(self.site.now)
            self.site.taps.tick(self.site.now, False)
            if not self.on.flash.dead:
                self.log.flush()

    def released(self):
        return self.lab.edges(STRIKE).count(1)

    def check(self, tally):
        self._boot()
        self._turns(20)
        tally["unlocks_resumed"] += self.released()
        Cache.close(self)


CASES = (Ring, Segments, Cache, Key, Tries, Unlock)


def new_tally():
    return {"cuts": 0, "acked_lost": 0, "unlocks_resumed": 0, "free_tries": 0, "half_updates": 0}


def wrong(tally):
    # How often something was not as it has to be.
    return sum([count for what, count in tally.items() if what != "cuts"])


def sweep(case, tally, wanted=None):
    # Cuts the power at every operation of case.work(), clean and torn; yields after each cut. wanted(
    # operation): only there. A check that fails raises, or adds to the tally.
    most = length(case)
    for torn in (False, True):
        operation = 0
        while True:
            if wanted and operation < most and not wanted(operation):
                operation += 1
                continue
            gc.collect()
            at_work = case()
            if not _cut(at_work, tally, operation, torn):
                break
            yield
            operation += 1


def endure(case, tally, chance, cuts):
    # One board whose power goes again and again. chance(n): a number below n.
    most = length(case)  # before the board: all have the same cells
    at_work = case()
    for _ in range(cuts):
        gc.collect()
        _cut(at_work, tally, chance(most), chance(2))
        yield


def _cut(at_work, tally, operation, torn):
    # False if the work was over before that operation.
    at_work.on.flash.left, at_work.on.flash.torn = operation, torn
    try:
        at_work.work()
    except OSError:
        if not at_work.on.flash.dead:
            raise
    was_cut = at_work.on.flash.dead
    at_work.on.again()
    at_work.check(tally)
    tally["cuts"] += was_cut
    return was_cut


_lengths = {}


def length(case):
    # How many operations its work takes.
    if case not in _lengths:
        at_work = case()
        before = at_work.on.flash.operations()
        at_work.work()
        _lengths[case] = at_work.on.flash.operations() - before
    return _lengths[case]
