"""Who administers the broker, against a real board: one JSON line, real firmware, real use cases, a wire that lies.

"rounds" are single hostile actions on the wire between board and gateway: replays, changed bits, foreign seals, false
wills, what was held back or sent twice. "legitimate" counts the taps and releases among them that must open, "opened"
how often the relay did, as the virtual hardware saw it; both are the same, or this ends with an error that names the
seed. "uids_read" counts spellings of card numbers found in every byte that board and gateway sent. "mutants" are
copies of the product without one defence each; one that its scenario does not catch is an error, too.
"""

import argparse
import asyncio
import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

from doorward import logs

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "gateway" / "tests"))

from attack.campaign import Campaign
from attack.mutants import MUTANTS, Mutant, caught
from attack.secrecy import spellings_found
from attack.site import CARDS, Site

SEED = 20261121
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


async def measure(count: int, seed: int, tried: int) -> dict[str, Any]:
    """Everything."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        cache = directory / "mpy"
        figures: dict[str, Any] = await rounds(directory / "rounds", cache, count, seed)
        figures |= await mutants(directory, cache, MUTANTS[:tried])
    return figures


def say(text: str) -> None:
    """Tell what is being done."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Attack, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line of JSON, without indentation")
    parser.add_argument("--rounds", type=int, default=20_000, help="hostile rounds (20,000)")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the attacker ({SEED})")
    parser.add_argument("--mutants", type=int, default=len(MUTANTS), help="the first so many (all)")
    options = parser.parse_args()
    logs.configure(logging.ERROR)
    figures = asyncio.run(measure(options.rounds, options.seed, options.mutants))
    print(json.dumps(figures, indent=None if options.json else 2))


if __name__ == "__main__":
    main()
