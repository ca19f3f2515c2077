"""Copies of the product without one of its defences, and the scenario that has to notice.

A mutant is a list of exact texts and what stands in their place. A text that is not there any more is an error: a
mutant that mutates nothing would be caught by nobody.
"""

import asyncio
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from doorward.data import data_root

_COPIED = (
    "firmware",
    "gateway/doorward",
    "lab",
    "boards",
    "gateway/tests/attack",
    "gateway/tests/stage",
)
_TIMEOUT_S = 540  # for what hangs: a scenario has deadlines of its own for what must happen


@dataclass(frozen=True, slots=True)
class Mutant:
    """changes: (file, text, replacement). scenario: the one that must be breached."""

    name: str
    scenario: str
    changes: tuple[tuple[str, str, str], ...]


def build(mutant: Mutant, directory: Path) -> None:
    """Put a patched copy of the product, with these tests, into `directory`. Raises ValueError for a stale text."""
    root = data_root()
    skipped = shutil.ignore_patterns("static", "templates")
    # Bytecode goes along: it knows its source by time and size, and is not believed where that changed.
    for folder in _COPIED:
        shutil.copytree(root / folder, directory / folder, ignore=skipped)
    shutil.copy(root / "pyproject.toml", directory)
    for name, text, replacement in mutant.changes:
        path = directory / name
        source = path.read_text()
        if source.count(text) != 1:
            raise ValueError(
                f"mutant {mutant.name!r}: {name} has {source.count(text)} times {text!r}"
            )
        path.write_text(source.replace(text, replacement))


async def breach(scenario: str, tree: Path, directory: Path, cache: Path) -> str | None:
    """Run a scenario on the product in `tree`: what was breached, or None. Raises RuntimeError when it did not run."""
    folders = ("firmware", "gateway", "lab", "gateway/tests", "lab/tests")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(tree / one) for one in folders)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "attack.scenarios",
        scenario,
        str(directory),
        str(cache),
        env=environment,
        cwd=tree,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), _TIMEOUT_S)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    verdict = said.decode().rpartition("breached: ")[2]
    if process.returncode:
        raise RuntimeError(f"{scenario} did not run:\n{said.decode()[-3000:]}")
    found: str | None = json.loads(verdict)
    return found


async def caught(mutant: Mutant, directory: Path, cache: Path) -> str | None:
    """What the mutant's scenario says of it; None: nobody noticed."""
    tree = directory / "tree"
    await asyncio.to_thread(build, mutant, tree)
    return await breach(mutant.scenario, tree, directory / "site", cache)
