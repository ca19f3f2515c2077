"""What the product would be without one of its defences: patched copies of it, and the scenario that has to notice.

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

_CORE = "firmware/doorward_core/"
_NODE = "firmware/doorward_node/"
_APP = "gateway/doorward/app/"
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


_NO_SUFFIX = (
    _CORE + "seal.py",
    "(label.encode(), keys.device.encode(), suffix.encode(), freshness.encode(), body)",
    "(label.encode(), keys.device.encode(), freshness.encode(), body)",
)

MUTANTS = (
    Mutant(
        "a nonce is not burnt",
        "answer_again",
        (
            (
                _NODE + "session.py",
                "            return False\n        self.value = None\n        return True",
                "            return False\n        return True",
            ),
            (
                _NODE + "session.py",
                "def burn(self) -> None:\n        self.value = None",
                "def burn(self) -> None:\n        pass",
            ),
        ),
    ),
    Mutant(
        "the nonce is outside the MAC",
        "old_grant",
        (
            (
                _CORE + "seal.py",
                "suffix.encode(), freshness.encode(), body)",
                "suffix.encode(), body)",
            ),
        ),
    ),
    Mutant(
        "the nonce of a tap is not compared",
        "old_grant",
        (
            (
                _NODE + "taps.py",
                "if not self._nonce.take(nonce, now):",
                "if not self.pending():",
            ),
        ),
    ),
    Mutant(
        "a part of the MAC is compared",
        "turned_round",
        ((_CORE + "compat.py", "return difference == 0", "return left[:4] == right[:4]"),),
    ),
    Mutant(
        "the key epoch is not compared",
        "turned_round",
        ((_CORE + "seal.py", "if sealed.epoch != keys.epoch:", "if sealed.epoch < 0:"),),
    ),
    Mutant(
        "the nonce of a release is not compared",
        "old_release",
        ((_NODE + "commands.py", 'if kind == "n" and not (', 'if kind == "" and not ('),),
    ),
    Mutant(
        "the board does not compare session numbers",
        "old_challenge",
        (
            (
                _NODE + "session.py",
                "if value != self._boot or number <= self._heard.get(suffix, 0):",
                "if value != self._boot:",
            ),
        ),
    ),
    Mutant(
        "the gateway does not compare session numbers",
        "old_state",
        ((_APP + "messages/fleet.py", "if number <= self._up.get(suffix, 0):", "if number < 0:"),),
    ),
    Mutant(
        "the payload says which label it has",
        "silence",
        (
            (
                _CORE + "seal.py",
                "label = topics.label(suffix, freshness[:1])",
                "label = freshness[:1]",
            ),
            _NO_SUFFIX,
        ),
    ),
    Mutant(
        "a boot is believed before it has answered",
        "former_life",
        (
            (
                _APP + "messages/fleet.py",
                'self.proof = "boot_" + secrets.token_hex(8)',
                "self.proof = None",
            ),
        ),
    ),
    Mutant(
        "the log is not chained",
        "deleted_event",
        (
            (_CORE + "seal.py", "    if extra:\n", "    if False:\n"),
            (
                _APP + "board_logs/heads.py",
                "if seq != held + 1 or gone is not None:",
                "if seq <= held:",
            ),
            (
                _APP + "board_logs/heads.py",
                "return first <= seq_in(stored, kept.epoch) + 1 <= kept.seq",
                "return kept.seq > seq_in(stored, kept.epoch)",
            ),
            (
                "gateway/doorward/adapters/store/audit.py",
                "    if not _continues(connection, entry):",
                "    if False:",
            ),
        ),
    ),
    Mutant(
        "the log's epoch is not remembered",
        "old_log",
        (
            (
                _APP + "board_logs/heads.py",
                "return self.held(device_id, epoch) is not None",
                "return False",
            ),
        ),
    ),
    Mutant(
        "an answer is for whatever door it reaches",
        "foreign_door",
        (
            (_CORE + "seal.py", "keys.device.encode(), suffix", 'b"", suffix'),
            (_CORE + "seal.py", "_hmac(self._secret, ", "_hmac(bytes(32), "),
            (
                _APP + "access/taps.py",
                "if asked.device != device.id or door is None:",
                "if door is None:",
            ),
        ),
    ),
    Mutant(
        "the counter of a config is not compared",
        "old_rules",
        (
            (_NODE + "credentials.py", "if version < self.version():", "if False:"),
            (
                _NODE + "credentials.py",
                "if version < held.cache_version or config.cache_digest != held.cache_digest:",
                "if False:",
            ),
        ),
    ),
    Mutant(
        "a nonce never expires",
        "held_back",
        ((_NODE + "session.py", "if not 0 <= self.age(now) <= _NONCE_LIFE_MS:", "if False:"),),
    ),
)


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
