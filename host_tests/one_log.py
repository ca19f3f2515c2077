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
