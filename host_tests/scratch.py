# A folder for one test, on both interpreters.

import os

ROOT = "/tmp/doorward-host-tests"
_made = 0


def folder():
    # A new, empty folder; gone ones of earlier runs do not matter.
    global _made
    if not _exists(ROOT):
        os.mkdir(ROOT)
    while True:
        _made += 1
        path = ROOT + "/" + str(os.urandom(4)[0]) + "-" + str(_made) + "-" + os.urandom(4).hex()
        if not _exists(path):
            os.mkdir(path)
            return path


def _exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False
