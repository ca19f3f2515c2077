# What a board makes of a thousand bundles that are not what the signer signed; on a real LittleFS,
# and with a signature by another implementation (make_vectors.py).

import binascii
import gc
import hashlib
import json
import os
import random

from slots import ROOT, Board, firmware, manifest
from support import vectors

from doorward_core.messages import encode
from doorward_node import install, signature, update
from doorward_node.files import remove

# A power of a number of 3,072 bits leaves half a MiB of rubbish; run.py collects every 64 KiB.
gc.threshold(1 << 20)
# Mutants are planted into modules that stay.
update.forget = lambda _name: None
# Of each ten forgeries, which kinds: those that get as far as the flash take their time.
KINDS = (0, 1, 4, 5, 6, 7, 0, 1, 2, 3)
# Of what the board runs at first; the epoch there is 1.
NOW = "1.9"
NOON = 1763726400  # UTC, and when offers end
VECTORS = vectors("firmware")
MODULUS = binascii.unhexlify(VECTORS["modulus"])
GOOD, OLDER = [
    (
        VECTORS[name]["manifest"].encode(),
        binascii.unhexlify(VECTORS[name]["signature"]),
        {path: text.encode() for path, text in VECTORS[name]["files"].items()},
    )
    for name in ("good", "older")
]


class App:
    # What an update needs of the board around it.
    def __init__(self):
        self.link = self.journal = self.session = self.clock = self
        self.up = True
        self.time = NOON
        self.told = []
        self.restarts = False

    def add(self, kind, data):
        self.told.append(data["state"])

    def refuse(self, reason):
        self.told.append(reason)

    def utc(self, _now):
        return self.time

    def restart(self):
        self.restarts = True


def offer(bundle):
    listed, signed, _files = bundle
    digest = binascii.hexlify(hashlib.sha256(listed).digest()).decode()
    said = binascii.b2a_base64(signed).decode().strip()
    fields = {"version": "any", "size": len(listed), "digest": digest, "signature": said}
    fields["until"] = NOON
    return encode(fields)


def piece(parts, wanted):
    # As the gateway cuts it: up to the end of the manifest, or of a file.
    at = wanted
    for part in parts:
        if at < len(part):
            data = binascii.b2a_base64(part[at : at + 384]).decode().strip()
            return encode({"version": 0, "offset": wanted, "total": 0, "data": data})
        at -= len(part)
    return encode({"version": 0, "offset": wanted, "total": 0, "data": ""})


def board():
    made = Board(NOW)
    made.write("/slot", b"a 1")
    made.write("/firmware.key", MODULUS)
    return made


def takes(at, bundle):
    # Whether the board would start it next: the way of every update.
    listed, _signed, files = bundle
    for path in GOOD[2]:
        # What an earlier bundle brought and was right is used again, and hides what is wrong with this one.
        remove(ROOT + "/b/" + path)
    parts = [listed] + [files[path] for path in sorted(files)]
    app = App()
    work = update.Update(ROOT)
    at.orders += 1
    heard = at.orders, offer(bundle)
    for turn in range(200):
        said = work.turn(app, heard, turn // 4)
        heard = None
        if said is None:
            break
        if said:
            heard = at.orders, piece(parts, json.loads(said)["offset"])
    work.close()  # it would wait for more
    remove(ROOT + "/update.part")
    assert app.restarts == (app.told == ["installed"]), app.told
    return app.restarts


def flipped(data):
    at = random.randrange(len(data))
    return data[:at] + bytes((data[at] ^ 1 << random.randrange(8),)) + data[at + 1 :]


def forged(number):
    listed, signed, files = GOOD
    kind = KINDS[number % 10]
    path = sorted(files)[number % len(files)]
    if kind == 0:
        return flipped(listed), signed, files
    if kind == 1:
        return listed, flipped(signed), files
    if kind == 2:
        return listed, signed, dict(files, **{path: flipped(files[path])})
    if kind == 3:
        return listed, signed, dict(files, **{path: files[path][: random.randrange(9)]})
    if kind == 4:
        return listed[: random.randrange(len(listed))], signed, files
    if kind == 5:
        return listed, signed[: random.randrange(384)] + signed[: number % 3], files
    if kind == 6:  # right in itself, and not signed
        other = firmware("9.%d" % number, 1)
        return manifest("9.%d" % number, other, epoch=9), signed, other
    return OLDER  # signed, and of an epoch that is over


def accepted(numbers):
    # How many of these forgeries the board takes.
    at = board()
    count = 0
    for number in numbers:
        if takes(at, forged(number)):
            count += 1
            at = board()
    assert count or at.start() == (NOW, False)
    return count


def test_a_bundle_that_was_signed_is_taken():
    at = board()
    assert takes(at, GOOD)
    assert at.start() == ("2.0", True)


def test_a_thousand_forgeries_are_not():
    random.seed(8)
    assert accepted(range(1000)) == 0


def test_what_was_replayed_is_taken_where_its_epoch_is_not_over():
    at = board()
    at.write("/slot", b"a 0")
    assert takes(at, OLDER)


def mutated(module, kept, value, numbers):
    # As if the module had `value` where it has `kept`.
    (name,) = (name for name in dir(module) if getattr(module, name) is kept)
    setattr(module, name, value)
    try:
        return accepted(numbers)
    finally:
        setattr(module, name, kept)


def test_a_board_that_checks_no_signature_no_digest_or_no_epoch_is_caught():
    def holds(path, size, _digest):
        yield
        try:
            return os.stat(path)[6] == size
        except OSError:
            return False

    def checks_nothing(*_):
        yield
        return True

    def head(line):
        found = kept(line)
        found["epoch"] += 9
        return found

    kept = install._head
    random.seed(8)
    assert mutated(signature, signature.checking, checks_nothing, range(4, 5)) > 0
    assert mutated(install, install._holds, holds, range(8, 9)) > 0
    assert mutated(install, install._head, head, range(5, 6)) > 0


def valid(*arguments):
    work = signature.checking(*arguments)
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def test_a_block_is_compared_as_a_whole():
    # Bleichenbacher 2006: with e = 3 a signature whose block has rubbish behind the digest can be
    # made without the key. Neither a short block nor another key's length is looked into.
    digest = binascii.unhexlify(VECTORS["digest"])
    signed = GOOD[1]
    assert valid(digest, signed, MODULUS)
    s, n = int.from_bytes(signed, "big"), int.from_bytes(MODULUS, "big")
    assert not valid(digest, b"\x00" + signed, MODULUS)
    assert not valid(digest, signed[1:], MODULUS)
    assert s + n >= 1 << 3072 or not valid(digest, (s + n).to_bytes(384, "big"), MODULUS)
    assert not valid(digest, (n - s).to_bytes(384, "big"), MODULUS)
    assert not valid(digest, b"\x00" * 384, MODULUS)
    assert not valid(digest, signed, b"\x00" * 384)
    assert not valid(bytes(32), signed, MODULUS)
