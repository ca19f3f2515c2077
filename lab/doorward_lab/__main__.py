"""`python -m doorward_lab --data DIR`: serve the boards of DIR/site.json, or of named profiles, until told to stop."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from doorward_lab import launch
from doorward_lab.board import Board
from doorward_lab.control import Control
from doorward_lab.errors import LabError
from doorward_lab.lab import DOOR_HEAP_KIB, Lab
from doorward_lab.site import Site, read_profile, read_site

_AT_ONCE = 4


def main() -> int:
    """Run the lab; exit status 0 after a stop, 1 with one line when it cannot start."""
    options = _options()
    if options.with_parent:
        launch.die_with(options.with_parent, signal.SIGTERM)
    try:
        asyncio.run(_serve(options))
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m doorward_lab", description="Run virtual boards."
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="directory of the lab; holds run/lab.sock"
    )
    parser.add_argument(
        "--profile",
        type=Path,
        action="append",
        help="a config.json to run instead of DIR/site.json",
    )
    parser.add_argument(
        "--firmware", type=Path, help="a folder with a main.py instead of the door firmware"
    )
    parser.add_argument(
        "--heap",
        type=int,
        default=DOOR_HEAP_KIB,
        help=f"heap of a board in KiB (default {DOOR_HEAP_KIB})",
    )
    parser.add_argument("--verbose", action="store_true", help="print what the boards print")
    parser.add_argument(
        "--wait",
        action="store_true",
        help="compile first, and read the site when a line comes on standard input",
    )
    parser.add_argument(
        "--with-parent", type=int, metavar="PID", help="end when this parent process ends"
    )
    return parser.parse_args()


async def _serve(options: argparse.Namespace) -> None:
    site = None if options.wait else _site(options)
    loop = asyncio.get_running_loop()
    async with Lab(options.data) as lab:
        if site is None:
            lab.compile(options.firmware)
            if not sys.stdin.readline():
                return  # who would have said so has ended
            site = _site(options)
        control = Control(lab, site)
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, control.stopped.set)
        try:
            # The first one alone, for it compiles what all of them run.
            for first, end in _turns(len(site.boards)):
                if control.stopped.is_set():
                    return
                starts = [
                    lab.start_board(profile, firmware=options.firmware, heap_kib=options.heap)
                    for profile in site.boards[first:end]
                ]
                for board in await asyncio.gather(*starts):
                    if options.verbose:
                        _echo(board)
            # The socket comes last: whoever can connect finds every board running.
            await control.start(options.data / "run" / "lab.sock")
            print(
                f"lab: {len(lab.boards)} boards, control socket {options.data / 'run' / 'lab.sock'}",
                flush=True,
            )
            await control.stopped.wait()
        finally:
            await control.stop()


def _turns(boards: int) -> Iterator[tuple[int, int]]:
    """Which boards start together, as slices."""
    first, end = 0, min(1, boards)
    while first < boards:
        yield first, end
        first, end = end, min(end + _AT_ONCE, boards)


def _echo(board: Board) -> None:
    """Copy what a board prints to stderr, its first words too."""

    def echo(line: str) -> None:
        print(f"{board.id}: {line}", file=sys.stderr)

    for line in board.log:
        echo(line)
    board.on_print = echo


def _site(options: argparse.Namespace) -> Site:
    path: Path = options.data / "site.json"
    if not options.profile:
        return read_site(path)
    cards = read_site(path).cards if path.exists() else {}
    return Site(tuple(read_profile(profile) for profile in options.profile), cards)


if __name__ == "__main__":
    sys.exit(main())
