"""Who administers the broker, against a real board: one JSON line, real firmware, real use cases, a wire that lies.

"rounds" are single hostile actions on the wire between board and gateway: replays, changed bits, foreign seals, false
wills, what was held back or sent twice. "legitimate" counts the taps and releases among them that must open, "opened"
how often the relay did, as the virtual hardware saw it; both are the same, or this ends with an error that names the
seed. "uids_read" counts spellings of card numbers found in every byte that board and gateway sent. "mutants" are
copies of the product without one defence each. "audit_tampers" are changes made with SQL to an audit of 10,000 rows,
"audit_found" those whose first bad row was named. "revoke_ms" is the median time from the call that revokes a board to
the end of its live connection.
"""

import asyncio
import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from reporting import arguments, say, show

from doorward import config, logs
from doorward.adapters.store import SqlStore, chain
from doorward.database import for_writing, open_database
from doorward.domain.audit_chain import Head
from doorward.domain.audit_walk import links, walk
from doorward.runtime.gateway import Gateway
from doorward_core import mqtt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "gateway" / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab" / "tests"))

from attack.campaign import Campaign
from attack.mutants import MUTANTS
from attack.mutation import Mutant, caught
from attack.secrecy import spellings_found
from attack.site import CARDS, Site
from bench.audit_tampers import ROWS, TAMPERS, Tamper, names, row, unlocked
from stage.house import furnish
from stage.notary import MemoryNotary

SEED = 20261121
REVOCATIONS = 5
ANY_PORT = {"web": {"port": 0}, "mqtt": {"port": 0, "plain_port": 0}}
EVERY = 1000  # rounds between two words about progress


async def rounds(directory: Path, cache: Path, count: int, seed: int) -> dict[str, int]:
    """The hostile rounds."""
    told = 0

    def progress(done: int) -> None:
        nonlocal told
        if done // EVERY > told:
            told = done // EVERY
            say(f"rounds: {done} of {count}")

    async with Site(directory, cache) as site:
        await site.board("front")
        campaign = Campaign(site, seed, progress)
        await campaign.run(count)
        read = spellings_found(bytes(site.wire.bytes_said), CARDS.values())
        return {
            "rounds": campaign.rounds,
            "legitimate": campaign.legitimate,
            "opened": site.opened(),
            "uids_read": len(read),
        }


async def mutants(directory: Path, cache: Path, tried: tuple[Mutant, ...]) -> dict[str, int]:
    """The product without each of its defences."""
    found = 0
    for number, mutant in enumerate(tried):
        breach = await caught(mutant, directory / str(number), cache)
        say(f"mutant: {mutant.name}: {breach or 'NOT CAUGHT'}")
        found += breach is not None
    return {"mutants": len(tried), "mutants_caught": found}


async def audit(directory: Path) -> dict[str, int]:
    """Whatever can be done to an audit with SQL."""
    path, key, notary = directory / "audit.db", os.urandom(32), MemoryNotary()
    store = SqlStore(path, key, notary)
    store.start()
    await asyncio.gather(*(store.append(row(number)) for number in range(1, ROWS + 1)))
    await store.close()
    heads = [Head(told.count, told.digest) for told in notary.told]
    found = 0
    for tamper in TAMPERS:
        is_named = named(path, key, heads, tamper)
        found += is_named
        if not is_named:
            say(f"audit: {tamper.name}: NOT FOUND")
    say(f"audit: {found} of {len(TAMPERS)} found")
    return {"audit_tampers": len(TAMPERS), "audit_found": found}


def named(path: Path, key: bytes, heads: list[Head], tamper: Tamper) -> bool:
    """Do it, look, and take it back: whether the first finding leads to the first bad row."""
    engine = open_database(path, key)
    with for_writing(engine).connect() as connection:
        taken_back = connection.begin()
        unlocked(chain.driver(connection))
        tamper.do(chain.driver(connection))
        rows = list(links(lambda first: chain.page(connection, first, 2**63 - 1)))
        taken_back.rollback()
    engine.dispose()
    findings = walk(rows, anchors=heads, head=heads[-1]).findings
    return bool(findings) and names(tamper, findings[0])


async def revocation(directory: Path) -> float:
    """One board, connected and then revoked: ms from the call to the end of its connection."""
    directory.mkdir()
    board = await furnish(directory)
    gateway = Gateway(config.load(directory, defaults=ANY_PORT, environ={}))
    await gateway.start()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.plain_port)
        writer.write(mqtt.connect(board.device, 60, True, board.device, board.secret))
        assert await reader.readexactly(4) == b"\x20\x02\x00\x00", "the board is connected"
        transport = httpx.AsyncHTTPTransport(uds=str(gateway.settings.socket))
        async with httpx.AsyncClient(transport=transport, base_url="http://doorward") as api:
            began = time.perf_counter()
            call = asyncio.create_task(api.post(f"/api/v1/devices/{board.device}/revoke"))
            await reader.read()
            taken = (time.perf_counter() - began) * 1000
            assert (await call).is_success, "the board is revoked"
        writer.close()
        return taken
    finally:
        await gateway.stop()
        await gateway.wait()


async def revocations(directory: Path) -> dict[str, float]:
    """The median of several."""
    taken = [await revocation(directory / f"revoke{number}") for number in range(REVOCATIONS)]
    say("revoke: " + ", ".join(f"{each:.1f} ms" for each in taken))
    return {"revoke_ms": round(median(taken), 1)}


async def measure(count: int, seed: int, tried: int) -> dict[str, Any]:
    """Everything."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        cache = directory / "mpy"
        figures: dict[str, Any] = await rounds(directory / "rounds", cache, count, seed)
        figures |= await mutants(directory, cache, MUTANTS[:tried])
        figures |= await audit(directory)
        figures |= await revocations(directory)
    return figures


def main() -> None:
    """Attack, and print one line."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=20_000, help="hostile rounds (20,000)")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the attacker ({SEED})")
    parser.add_argument("--mutants", type=int, default=len(MUTANTS), help="the first so many (all)")
    options = parser.parse_args()
    logs.configure(logging.ERROR)
    figures = asyncio.run(measure(options.rounds, options.seed, options.mutants))
    show(figures, options)


if __name__ == "__main__":
    main()
