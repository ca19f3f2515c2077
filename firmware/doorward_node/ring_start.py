# What is left of a log in a partition when the board starts. Loaded for that, and forgotten: ring.py.

import binascii

from doorward_core import seal
from doorward_core.compat import const, urandom

_HEADER = const(44)
_RECORD = const(6)


def start(ring) -> None:  # type: ignore[no-untyped-def]
    newest = _newest(ring)
    if newest is None:
        # No log yet. Its gateway sees a new one, and asks people whether they know why.
        ring.epoch = binascii.hexlify(urandom(4)).decode()
        ring.head = ring.sectors - 1
        ring.at = ring.size
        ring.tail = 0
        return
    ring.head = newest
    known = ring.header(newest)
    ring.epoch = binascii.hexlify(known[5]).decode()
    ring.newest = known
    _read_head(ring, known[1], known[4])
    _find_tail(ring, known)


def _newest(ring) -> "int | None":  # type: ignore[no-untyped-def]
    newest, turn = None, 0
    for sector in range(ring.sectors):
        known = ring.header(sector)
        if known and known[0] > turn:
            newest, turn = sector, known[0]
    return newest


def _read_head(ring, first: int, digest: bytes) -> None:  # type: ignore[no-untyped-def]
    # What of the newest sector is whole. Behind half a record nothing more is written.
    seq, at = first - 1, _HEADER
    body = ring.record(ring.head, at, seq + 1)
    while body is not None:
        seq += 1
        digest = seal.chain(digest, ring.epoch, seq, body)
        at += _RECORD + len(body)
        body = ring.record(ring.head, at, seq + 1)
    ring.seq = seq
    ring.digest = digest
    ring.at = at if ring.blank(ring.head, at) else ring.size


def _find_tail(ring, newest) -> None:  # type: ignore[no-untyped-def]
    # Back to the sector with the first event that is not settled; a hole on the way is the end.
    # What of it was acknowledged goes out once more: the gateway says at once how far it is.
    settled, lost = newest[2], newest[3]
    sector, known = ring.head, newest
    while known[1] > settled + 1:
        found = ring.before(sector, known)
        if not found or found[1][5] != known[5]:
            lost = lost or settled + 1
            break
        ring.tail_ends = known[1]
        sector, known = found
    ring.tail = sector
    ring.settled = known[1] - 1, known[4]
    if lost and abs(lost) <= ring.settled[0]:
        ring.lost = lost
