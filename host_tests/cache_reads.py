# Looks up on a real LittleFS: micropython cache_reads.py CACHE TAGS STRANGERS FIRMWARE
#
# TAGS: of the cards in CACHE, the n-th is person n % 1000's; STRANGERS: tags that are none's. Prints the most
# reads of the flash that one look-up of either took, their mean in hundredths, and ends with status 1 if one was wrong.

import sys

HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path[:0] = [HERE, sys.argv[4], HERE + "/../lab/shim"]

import vfs  # noqa: E402 - from the path above
from nor import BLOCK, Nor  # noqa: E402 - ditto

from doorward_core import records, seal  # noqa: E402 - ditto

_TAG = 12
_PERSONS = 1000


def put(path):
    # A flash with a copy of this file, as big as it has to be.
    with open(path, "rb") as file:
        flash = Nor(file.seek(0, 2) // BLOCK + 24)
        vfs.VfsLfs2.mkfs(flash)
        vfs.mount(flash, "/flash")
        file.seek(0)
        with open("/flash/cache", "wb") as copy:
            data = file.read(BLOCK)
            while data:
                copy.write(data)
                data = file.read(BLOCK)
    return flash


def costs(flash, cache, path, known):
    # (most, all, number) of the reads.
    most = total = number = 0
    with open(path, "rb") as file:
        mark = file.read(_TAG)
        while mark:
            before = flash.reads
            found = cache.lookup(mark)
            reads = flash.reads - before
            if (found is not None) != known or (known and found.person != number % _PERSONS):
                print("wrong", number)
                sys.exit(1)
            most, total, number = max(most, reads), total + reads, number + 1
            mark = file.read(_TAG)
    return most, 100 * total // number


FLASH = put(sys.argv[1])
CACHE = records.Cache(open("/flash/cache", "rb"), seal.Keys("front", bytes(32)))  # noqa: SIM115 - to the end
print(*costs(FLASH, CACHE, sys.argv[2], True), *costs(FLASH, CACHE, sys.argv[3], False))
