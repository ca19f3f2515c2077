# A board's log in files or on a partition, and a gateway that takes it: for the tests of both.

import binascii
import json

from nor import Nor

from doorward_core import seal, topics
from doorward_node.journal import Journal
from doorward_node.ring import Ring
from doorward_node.segments import Segments

KEYS = seal.Keys("front", bytes(32))


def journal(store):
    return Journal(store, KEYS, lambda: ("2026-11-21T10:30:00Z", "gateway"))


def in_files(path):
    return journal(Segments(path))


def on_flash(flash):
    return journal(Ring(flash))


def partition(sectors=6):
    return Nor(sectors, partition=True)


def write(log, count):
    for _ in range(count):
        log.add("door.open", {"n": log.store.seq + 1})
        log.flush()


class Gateway:
    # Verifies each event against the digest of all before it, as the gateway does: a gap is
    # believed in only where a sealed `lost` names it. gaps: (first that is missing, last); losses: what
    # the board said of them.
    def __init__(self):
        self.digest = seal.CHAIN_START
        self.newest = 0
        self.seqs = []
        self.gaps = []
        self.losses = []
        self.digests = {}
        self.bodies = {}

    def take(self, payload):
        body = seal.split(payload).body
        _kind, epoch, seq = seal.parse_freshness(seal.split(payload).freshness)
        event = json.loads(body)
        lost = event["data"] if event["type"] == "lost" and "first" in event["data"] else None
        if seq <= self.newest:
            if lost is None and seq in self.bodies:
                assert body == self.bodies[seq], "the board changed its past"
            elif lost and seq in self.digests:
                assert lost["digest"] == binascii.hexlify(self.digests[seq]).decode()
            return epoch, self.newest, self.digest
        if lost:
            assert lost["first"] <= self.newest + 1 and lost["last"] == seq
            self.gaps.append((self.newest + 1, seq))
            self.losses.append(body)
            digest = binascii.unhexlify(lost["digest"])
        else:
            assert seq == self.newest + 1, (seq, self.newest)
            digest = seal.chain(self.digest, epoch, seq, body)
            self.seqs.append(seq)
            self.bodies[seq] = body
        seal.open_sealed(KEYS, topics.EVENTS, payload, digest)
        assert event["seq"] == seq
        self.digest = self.digests[seq] = digest
        self.newest = seq
        return epoch, seq, digest

    def greet(self, log):
        # A hello, and the answer.
        place = log.greet()
        log.acknowledged(log.store.epoch, self.newest, self.digest)
        return place

    def drain(self, log, acknowledge=True):
        payload = log.upload()
        while payload:
            said = self.take(payload)
            if acknowledge:
                log.acknowledged(*said)
            payload = log.upload()


class Epochs(Gateway):
    # Believes in a new log, too, and takes note of that as the gateway does: as tampering.
    def __init__(self):
        super().__init__()
        self.former = []
        self.over = {}
        self.epoch = None

    def take(self, payload):
        epoch = seal.parse_freshness(seal.split(payload).freshness)[1]
        self._turn_to(epoch)
        return super().take(payload)

    def _turn_to(self, epoch):
        if epoch == self.epoch:
            return
        if self.epoch is not None:
            assert epoch not in [former[0] for former in self.former], "a log that was over"
            self.former.append((self.epoch, self.bodies, self.losses))
            self.over[self.epoch] = self.newest, self.digest
        super().__init__()
        self.epoch = epoch

    def greet(self, log):
        log.greet()
        epoch = log.store.epoch
        held = (self.newest, self.digest) if epoch == self.epoch else (0, bytes(16))
        over = epoch in self.over
        if over:
            held = self.over[epoch]
        log.acknowledged(epoch, held[0], held[1], over)

    def told(self):
        # (the numbers that notes were given, in all logs; whether anything was said to be missing).
        notes, missing = [], bool(self.former)
        for _epoch, bodies, losses in self.former + [(self.epoch, self.bodies, self.losses)]:
            missing = missing or bool(losses)
            for seq in sorted(bodies):
                event = json.loads(bodies[seq])
                if event["type"] == "lost":
                    missing = True
                else:
                    notes.append(event["data"]["n"])
        return notes, missing
