"""Hashing of passwords: what it takes for a moment is not kept for ever."""

import subprocess
import sys

_SCRIPT = """
import asyncio, sys
from pathlib import Path
from doorward import memory
from doorward.adapters import passwords

def resident_mb():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024

async def main():
    memory.share_one_heap()
    passwords._SETTLED_S = float(sys.argv[1])
    hasher = passwords.Argon2Passwords()
    before = resident_mb()
    logins = [asyncio.create_task(hasher.hash("secret")) for _ in range(8)]
    clients = []  # they are let in meanwhile, and stay
    while not all(one.done() for one in logins):
        clients.append(bytes(4000))
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.3)
    print(resident_mb() - before)

asyncio.run(main())
"""


def left_by_a_crowd(settled_s: float) -> int:
    words = [sys.executable, "-c", _SCRIPT, str(settled_s)]
    return int(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def test_a_crowd_that_signed_in_leaves_no_memory_behind() -> None:
    assert left_by_a_crowd(0.1) < 6
    assert left_by_a_crowd(60) > 15, "the positive control: it is kept in case it is wanted again"
