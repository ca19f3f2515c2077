"""A board's profile with its certificates beside it, as `doorward device adopt` leaves both."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from lab_profiles import profile
from watching import PATIENCE_S

from doorward_lab import Lab, SiteError
from doorward_lab.site import read_profile

LIST = """
import os
print("tls:", sorted(os.listdir("/tls")) if "tls" in os.listdir("/") else None)
print("config:", "tls" in open("/config.json").read())
"""


def adopted(folder: Path, *files: str) -> Path:
    (folder / "tls").mkdir(parents=True)
    for name in files:
        (folder / "tls" / name).write_bytes(bytes([0, 255]) + name.encode())
    path = folder / "config.json"
    path.write_text(json.dumps(profile()))
    return path


async def test_certificates_go_onto_the_flash_and_off_it_again(
    lab: Lab, program: Callable[..., Path], tmp_path: Path
) -> None:
    path = adopted(tmp_path / "board", "ca.der", "cert.der", "note.txt")
    board = await lab.start_board(read_profile(path), firmware=program(main=LIST))
    await board.wait_log("tls: ['ca.der', 'cert.der']", PATIENCE_S)
    await board.wait_log("config: False", PATIENCE_S)
    await lab.stop_board(board.id)
    board = await lab.start_board(profile(), firmware=program(main=LIST))
    await board.wait_log("tls: []", PATIENCE_S)


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = adopted(tmp_path / "board")
    (path.parent / "tls" / "ca.der").mkdir()
    with pytest.raises(SiteError, match=r"ca\.der"):
        read_profile(path)
