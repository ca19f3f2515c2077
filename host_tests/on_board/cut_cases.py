# What a board does with its flash, and what has to be true after the power went in the middle of it:
# for test_powercut.py, which tries some of the cuts, and bench/powercut.py, which tries them all.

import hashlib
import json

from cut_sweep import ROOT, Files, Partition
from lab_by_hand import power_up
from one_door import START, UID, Site, time_is
from one_log import Gateway, in_files, on_flash

from doorward_core import (
    gateway_cache,
    gateway_messages,
    gateway_seal,
    records_build,
    records_delta,
    schedule,
    seal,
    topics,
)
from doorward_core.compat import ticks_add
from doorward_drivers import strike
from doorward_node import rekey
from doorward_node.credentials import Credentials
from doorward_node.lockout import Lockout

KEYS = seal.Keys("front", bytes(range(32)))
FOLDER = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
STRIKE = 25


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
    right = ((3, (0, 59)), (4, (5, 64)))

    def __init__(self):
        self.on = Files()
        self.files = {3: cards(3, 0, 60), 4: cards(4, 5, 65)}
        self.copy = Credentials(ROOT, KEYS)
        self._pull(3)

    def _pull(self, version):
        file = self.files[version]
        body = gateway_cache.config(
            version, len(file), hashlib.sha256(file).digest(), 4000, 9000, 9000
        )
        word = gateway_seal.counter_word(version)
        self.copy.configure(version, body, seal.seal(KEYS, topics.CONFIG, word, body))
        for _ in range(30):
            self.copy.store()
            wanted = self.copy.want(0)
            if wanted:
                self._answer(version, json.loads(wanted))

    def _answer(self, version, wanted):
        # A gateway that has nothing but the whole.
        piece = gateway_cache.cache_chunk(version, wanted["offset"], self.files[version])
        self.copy.take(version, piece)

    def work(self):
        self._pull(4)

    def close(self):
        if self.copy._cache:
            self.copy._cache.close()

    def check(self, tally):
        self.copy = Credentials(ROOT, KEYS)
        version = self.copy.version()
        if (version, self._known()) not in self.right:
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


class Delta(Cache):
    # The same by what has changed: whoever was taken back stays out, from the moment that a start
    # has seen it.
    right = ((3, (0, 59)), (3, (5, 59)), (4, (5, 64)))

    def _answer(self, version, wanted):
        if wanted.get("from") != 3 or version != 4:
            super()._answer(version, wanted)
            return
        delta = records_delta.build(self.files[3], self.files[4])
        self.copy.take(4, gateway_cache.cache_chunk(4, wanted["offset"], delta, 3))

    def check(self, tally):
        self.copy = Credentials(ROOT, KEYS)
        known = self._known()
        self.close()
        super().check(tally)
        self.copy = Credentials(ROOT, KEYS)
        if known and self._known()[0] < known[0]:
            tally["half_updates"] += 1
        self.close()


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


class Unlock(Cache):
    # A card releases the door while nobody is online, and all of it is written down: whenever the
    # power goes, the relay's edges after it are those of a door that stays locked.
    def __init__(self):
        super().__init__()
        self.close()
        with open(ROOT + "/config.json", "w") as file:
            json.dump({"pins": {"strike": {"pin": STRIKE, "active": 1}}}, file)

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
        self.close()

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
        self.close()


CASES = (Ring, Segments, Cache, Delta, Key, Tries, Unlock)
