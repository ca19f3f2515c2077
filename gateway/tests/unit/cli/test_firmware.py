"""`doorward firmware`: bundles, their signatures, and a thousand forgeries."""

import json
import random
import shutil
from pathlib import Path

import kept_builds
import pytest

from doorward.cli.root import run
from doorward.data import data_root
from doorward.errors import DoorwardError, InvalidInput
from doorward.firmware.bundle import Bundle, unpack
from doorward.runtime import firmware as runtime

FIRMWARE = data_root() / "firmware"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def signed(site: Path) -> Path:
    """The firmware that ships, signed by a site."""
    path = site / "doorward.dwf"
    assert run(["firmware", "bundle", "--out", str(path)]) == 0
    assert run(["firmware", "sign", str(path), "--data", str(site)]) == 0
    return path


def test_the_same_source_gives_the_same_bundle(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shutil.copytree(FIRMWARE, tmp_path / "elsewhere")
    assert run(["firmware", "bundle", "--out", str(tmp_path / "one")]) == 0
    with kept_builds.made_anew():
        bundle = ["firmware", "bundle", "--out", str(tmp_path / "other")]
        assert run([*bundle, "--source", str(copy)]) == 0
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    found = unpack((tmp_path / "one").read_bytes())
    assert "doorward_node/install.mpy" in found.files
    assert found.signature == b""
    assert "not signed" in capsys.readouterr().out


def test_a_signed_bundle_is_what_the_site_says(
    site: Path, signed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["firmware", "verify", str(signed), "--data", str(site), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"]
    assert told["signed"]
    assert told["files"] > 50
    key = site / "signer" / "firmware.pub"
    assert run(["firmware", "verify", str(signed), "--key", str(key)]) == 0
    assert (site / "signer" / "firmware.pem").stat().st_mode & 0o77 == 0


def test_another_sites_key_says_no(
    signed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["firmware", "verify", str(signed), "--data", str(tmp_path)]) == 1
    assert "NOT signed by this key" in capsys.readouterr().out


def test_a_key_that_is_gone_is_not_made_again(
    signed: Path, site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shutil.copytree(site, tmp_path / "copy")
    (copy / "signer" / "firmware.pem").unlink()
    assert run(["firmware", "sign", str(signed), "--data", str(copy)]) == 1
    assert "no board would obey another" in capsys.readouterr().err


def test_what_is_no_bundle_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"no")
    assert run(["firmware", "verify", str(path), "--data", str(tmp_path)]) == 1
    assert "no firmware bundle" in capsys.readouterr().err


@pytest.mark.parametrize("version", ["1.0 beta", "1.0\n", "", "1" * 33, "1.0é"])
def test_a_version_that_no_board_can_keep_is_refused(
    version: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shutil.copytree(FIRMWARE, tmp_path / "copy")
    named = copy / "doorward_node" / "__init__.py"
    named.write_text(f"VERSION = {version!r}\n")
    out = tmp_path / "out.dwf"
    assert run(["firmware", "bundle", "--out", str(out), "--source", str(copy)]) == 1
    assert "is no version of a firmware; 1 to 32 letters" in capsys.readouterr().err
    assert not out.exists()
    # Made by another program: it is neither signed nor, if it was signed before, taken.
    forged = Bundle("1.0", 0, {"doorward_core/a.mpy": b"a"}, b"signature")
    object.__setattr__(forged, "version", version)
    out.write_bytes(forged.pack())
    assert run(["firmware", "sign", str(out), "--data", str(tmp_path)]) == 1
    assert "is no version of a firmware" in capsys.readouterr().err
    assert not (tmp_path / "signer" / "firmware.pem").exists()
    with pytest.raises(InvalidInput, match="is no version") as refused:
        unpack(out.read_bytes())
    assert refused.value.field == "version"


def test_a_thousand_forgeries_are_none(site: Path, signed: Path) -> None:
    key = runtime.public_key(site, None)
    good = signed.read_bytes()
    whole = unpack(good)

    def accepted(data: bytes) -> bool:
        try:
            return unpack(data).is_signed_by(key)
        except DoorwardError:
            return False

    assert accepted(good)
    chance = random.Random(8)
    begin = len(good) - sum(map(len, whole.files.values()))
    tried = 0
    for forged in _forgeries(good, whole, begin, chance):
        assert forged != good
        assert not accepted(forged), tried
        tried += 1
    assert tried == 1000


def _forgeries(good: bytes, whole: Bundle, begin: int, chance: random.Random):
    paths = list(whole.files)
    for number in range(1000):
        kind = number % 5
        if kind == 0:  # head, manifest or signature
            yield _flipped(good, chance.randrange(begin), chance)
        elif kind == 1:
            yield _flipped(good, chance.randrange(begin, len(good)), chance)
        elif kind == 2:  # cut off, or gone on
            size = chance.randrange(len(good))
            yield good[:size] if number % 2 else good + good[: 1 + size]
        elif kind == 3:  # two files change places, under a manifest that agrees
            one, other = chance.sample(paths, 2)
            files = {**whole.files, one: whole.files[other], other: whole.files[one]}
            files[one] += b"" if files[one] != whole.files[one] else b"x"
            yield Bundle(whole.version, whole.epoch, files, whole.signature).pack()
        else:  # another version or epoch under the same signature
            yield Bundle(f"9.{number}", number, whole.files, whole.signature).pack()


def _flipped(data: bytes, at: int, chance: random.Random) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1 << chance.randrange(8)
    return bytes(changed)
