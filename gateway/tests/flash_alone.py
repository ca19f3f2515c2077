"""Flashes the small firmware of flash_bench in a process of its own, which can be killed.

`python flash_alone.py PORT FOLDER VERSION`: as `flash.sh` does, for a board that is adopted already and whose gateway
hears it as soon as it is asked. One line and status 1 when it fails.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flash_bench import NAME, options

from doorward.errors import DoorwardError
from doorward.flash import Job, chosen, find


class Hears:
    """A gateway as far as flashing asks one."""

    name = NAME

    def boards(self) -> list[dict[str, Any]]:
        return [{"id": NAME, "state": "announced", "heard_at": datetime.now(UTC).isoformat()}]

    def adopt(self, name: str, profile: str, broker: str | None, *, again: bool) -> dict[str, Any]:
        raise AssertionError(f"{name}, {profile}, {broker}, {again}: it is adopted already")


def main() -> None:
    place, folder, version = sys.argv[1:]
    port = find(place)
    wanted = options(Path(folder), version)
    try:
        Job(wanted, port, chosen(port, "mpremote"), Hears(), print, lambda *_: None).run()
    except DoorwardError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
