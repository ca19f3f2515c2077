"""`doorward broker run`, of which the first half prepares and becomes the second, which serves.

Both are programs of one process: who started it, sends it signals and waits for its end sees one.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from doorward.runtime.alone import plan, preparing


def prepare(directory: Path, words: Sequence[str], *, port_base: int | None = None) -> NoReturn:
    """Prepare the broker of `directory`, then become `doorward WORDS` with the number of a plan's descriptor behind.

    What this program has loaded is gone then. Raises DoorwardError.
    """
    made = preparing.prepare(directory, port_base=port_base)
    handed = plan.hand_over(made)
    for descriptor in (made.lock, handed):
        os.set_inheritable(descriptor, True)
    sys.stdout.flush()
    # -P: what happens to lie in the working directory is not ours to load.
    os.execv(  # noqa: S606 - our own interpreter
        sys.executable, [sys.executable, "-P", "-m", "doorward", *words, str(handed)]
    )
