# A board's log through whatever happens to it, and what has to be true of it then: for test_log_promise.py, where a
# seed chooses what happens, and for hypothesis.
#
# What matters is never driven out by what measures. With one log that means: nothing that measures takes the place of
# an entry that was not acknowledged, and before an entry that matters has to go, entries that matter fill at
# least half of the room, all newer than it.

import json

from one_log import Gateway

MEASURES = ("motion", "reader.reset", "flight")
MATTERS = ("door.forced", "access.decision", "tamper")


class Life:
    # open_log(): the journal on what the flash holds, after the power came back, too. half: so many entries
    # are half of the room, at the least. waste: what a cut may cost of that, as nothing is written behind
    # half an entry.
    def __init__(self, open_log, half, waste):
        self.open_log = open_log
        self.half = half
        self.waste = waste
        self.gateway = Gateway()
        self.noted = self.unwritten = self.starts = 0
        self.written = {}  # number in the log: whether it measures
        self.start()

    def start(self):
        # What stood in RAM alone is gone, and nobody can know of it.
        self.starts += 1
        self.log = self.open_log()
        self.gateway.greet(self.log)

    def note(self, measures, dead=lambda: False):
        # dead(): whether the power has gone.
        kinds = MEASURES if measures else MATTERS
        self.noted += 1
        store = self.log.store
        newest, begin = store.seq, max(store.settled[0], self.gateway.newest)
        self.log.add(kinds[self.noted % 3], {"n": self.noted})
        self.log.flush()
        if dead():
            return
        if store.seq == newest:
            assert measures, "what matters was not written"
            self.unwritten += 1
            return
        self.written[store.seq] = measures
        gone = [seq for seq in self.written if begin < seq <= store.settled[0]]
        if gone:
            assert not measures, "what measures has driven something out"
            left = [seq for seq in self.written if seq > store.settled[0]]
            matter = [seq for seq in left if not self.written[seq]]
            for seq in gone:
                assert self.written[seq] or len(matter) >= self.half, (len(matter), self.half)

    def talk(self, most, hears):
        # Uploads so many; the board hears of each if hears().
        for _ in range(most):
            payload = self.log.upload()
            if payload is None:
                return
            said = self.gateway.take(payload)
            if hears():
                self.log.acknowledged(*said)

    def end(self):
        # The link stays, and all is told; then what was withheld.
        self.gateway.greet(self.log)
        for _ in range(2):
            for _ in range(1200):
                self.talk(40, lambda: True)
                if not self.log.waiting() and self.gateway.newest == self.log.store.seq:
                    break
                self.log.rewind()
            newest = self.log.store.seq
            self.note(True)
            assert self.log.store.seq > newest, "there was room"
        self.talk(9, lambda: True)
        self._judge()

    def _judge(self):
        gateway = self.gateway
        assert gateway.newest == self.log.store.seq, "it stands still"
        told = [json.loads(gateway.bodies[seq])["data"] for seq in gateway.seqs]
        noted = [data["n"] for data in told if "n" in data]
        assert noted == sorted(noted) and len(set(noted)) == len(noted), "not in order, or twice"
        for seq in self.written:
            lost = [first for first, last in gateway.gaps if first <= seq <= last]
            assert (seq in gateway.bodies) == (not lost), "neither told nor said to be lost"
        counted = sum([data.get("count", 0) for data in told])
        if self.starts == 1 and not gateway.gaps:
            assert counted == self.unwritten, (counted, self.unwritten)
        assert counted <= self.unwritten


def live(life, chance, steps, cut=None):
    # As chance(n), a number below n, has it. cut(): the power goes at one of the next operations.
    alone = chance(3) == 0  # nobody listens until the end
    for _ in range(steps):
        what = chance(8)
        if what < 4:
            measures = what < 2
            for _ in range(chance(60)):
                life.note(measures if chance(20) else not measures)
        elif what < 6:
            if alone:
                continue
            deaf = chance(3)
            life.talk(chance(30), lambda deaf=deaf: chance(3) >= deaf)
        elif what < 7 or not cut:
            life.start()
        else:
            dead = cut()
            life.half -= life.waste
            while not dead():
                life.note(chance(2) == 0, dead)
                if not dead() and chance(2):
                    life.talk(2, lambda: True)
            life.start()
    life.end()
