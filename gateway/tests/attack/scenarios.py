"""Every aimed attack by its name. One raises Breached when it works; the relay, the board or the store says so.

`python -m attack.scenarios NAME DIRECTORY CACHE` runs one by itself and prints, as JSON, what was breached: that is how
mutants are tried. Anything else that goes wrong is an error, and no proof of anything.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from attack import beliefs, firmware, openings, rules
from attack.site import Site
from attack.steps import Breached

Scenario = Callable[[Site], Awaitable[None]]

SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        openings.answer_again,
        openings.old_grant,
        openings.turned_round,
        openings.old_release,
        openings.old_challenge,
        beliefs.old_state,
        beliefs.silence,
        beliefs.former_life,
        beliefs.deleted_event,
        beliefs.old_log,
        openings.foreign_door,
        openings.old_rules,
        openings.held_back,
        firmware.foreign_firmware,
        firmware.old_firmware,
        firmware.odd_pieces,
        rules.odd_rules,
        rules.new_key_midway,
    )
}


async def _run(name: str, directory: Path, cache: Path) -> str | None:
    async with Site(directory, cache) as site:
        try:
            await SCENARIOS[name](site)
        except Breached as breach:
            return str(breach)
    return None


if __name__ == "__main__":
    print(
        "breached:",
        json.dumps(asyncio.run(_run(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))),
    )
