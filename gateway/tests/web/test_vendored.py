"""What comes from others is exactly what we took, with its licence beside it."""

import hashlib
import json
from pathlib import Path

import pytest

from doorward.web.static import FOLDER

FOLDERS = [FOLDER / "vendor", Path(__file__).parents[1] / "browser" / "vendor"]


@pytest.mark.parametrize("folder", FOLDERS, ids=["shipped", "for tests"])
def test_vendored_files_are_named_licensed_and_unchanged(folder: Path) -> None:
    known = {"vendored.json"}
    for part in json.loads((folder / "vendored.json").read_text()):
        assert part["version"] in part["package"]
        assert (folder / part["license_file"]).stat().st_size > 200
        known |= {part["license_file"], part.get("third_party", part["license_file"])}
        for name, file in part["files"].items():
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == file["sha256"], name
            known.add(name)
    assert {path.name for path in folder.iterdir()} == known


def test_every_style_sheet_is_in_the_page_and_stays_small() -> None:
    sheets = sorted(FOLDER.glob("css/*.css"))
    base = (FOLDER.parent / "templates" / "base.html").read_text()
    assert all(f'"{sheet.stem}"' in base for sheet in sheets)
    assert sum(sheet.stat().st_size for sheet in sheets) < 40_000
