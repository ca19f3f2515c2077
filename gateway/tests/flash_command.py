"""`doorward …` that compiles the firmware once: `python flash_command.py KEPT board flash …`, with KEPT a file for it.

Nothing of the firmware changes between the runs of a test, and each would compile it for seconds.
"""

import os
import sys
from pathlib import Path

from doorward.cli import main
from doorward.firmware import bundle


def once(kept: Path) -> None:
    """From here on what was compiled is taken from this file, and made when there is none."""
    compiled = bundle.compiled

    def found(firmware: Path, epoch: int) -> bundle.Bundle:
        if not kept.exists():
            draft = kept.with_name(f"{kept.name}.{os.getpid()}")
            draft.write_bytes(compiled(firmware, epoch).pack())
            draft.replace(kept)
        return bundle.unpack(kept.read_bytes())

    bundle.compiled = found


if __name__ == "__main__":
    once(Path(sys.argv.pop(1)))
    main()
