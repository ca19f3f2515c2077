"""What is lost when the power goes: one JSON line, on real MicroPython and its LittleFS over flash cells in RAM.

The power is cut at every program and every erase of what a board does with its flash, before it and in its middle, and
the board starts again from what is there. "cuts": how many. "acked_lost": events of the log that were written, and
are not there. "unlocks_resumed": edges of the relay that release a door after the power came back. "free_tries":
attempts at a vault beyond its six. "half_updates": copies of the rules, keys and firmwares that are neither the old nor
the new one, or an older one. "mutants": firmwares with a mistake that only a cut shows. "…_per_event": what an event
costs the flash in a partition of its own; "file_…" where it is kept in files.
"""

import json
import subprocess
import sys
from pathlib import Path

from reporting import arguments, say, show

BOARD = Path(__file__).parent.parent / "host_tests" / "on_board" / "all_cuts.py"
PATIENCE_S = 1800


def main() -> int:
    """Run the sweep, tell how it goes, and show its figures."""
    parser = arguments(__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the cuts that follow one another")
    options = parser.parse_args()
    interpreter = Path(sys.executable).with_name("micropython")
    command = [str(interpreter), str(BOARD), str(options.seed)]
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as board:
        for line in board.stdout or ():
            say(f"  {line.rstrip()}")
            lines.append(line)
        if board.wait(PATIENCE_S):
            say("the sweep ended with an error; its last lines are above")
            return 1
    show(json.loads(lines[-1]), options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
