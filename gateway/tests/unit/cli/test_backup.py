"""`doorward backup` as it is typed: passphrases are never in argv, and every failure is one line."""

import json
from pathlib import Path

import pytest
from stage.house import furnish

from doorward.cli.root import run
from doorward.runtime.backup import stream

PHRASE = "four plain words here"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream.Writer.__init__, "__defaults__", (stream.Cost(64, 1, 1),))
    monkeypatch.delenv("DOORWARD_BACKUP_PASSPHRASE", raising=False)


@pytest.fixture
async def site(tmp_path: Path) -> Path:
    await furnish(tmp_path / "d")
    return tmp_path / "d"


@pytest.fixture
def phrase(tmp_path: Path) -> str:
    file = tmp_path / "phrase"
    file.touch(mode=0o600)
    file.write_text(PHRASE + "\nanother line\n")
    return str(file)


def test_create_list_verify_restore(
    site: Path, phrase: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, common = str(tmp_path / "a"), ("--passphrase-file", phrase, "--json")
    assert run(["backup", "create", file, "--data", str(site), *common]) == 0
    for verb in ("list", "verify"):
        capsys.readouterr()
        assert run(["backup", verb, file, *common]) == 0
        said = json.loads(capsys.readouterr().out)
        assert (said["with_keys"], set(said["files"])) == (
            False,
            {"gateway.db", "keys/database.key"},
        )
    target = str(tmp_path / "new")
    assert run(["backup", "restore", file, "--data", target, *common]) == 0
    assert json.loads(capsys.readouterr().out)["data"] == target
    assert run(["backup", "restore", file, "--data", target, "--passphrase-file", phrase]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    arguments = ["backup", "restore", file, "--data", target, "--replace"]
    assert run([*arguments, "--passphrase-file", phrase]) == 0
    said = capsys.readouterr().out
    assert "before-restore" in said
    assert "adopt the boards again" in said


def test_the_environment_says_it_too(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOORWARD_BACKUP_PASSPHRASE", PHRASE)
    assert run(["backup", "create", str(tmp_path / "a"), "--data", str(site)]) == 0
    monkeypatch.setenv("DOORWARD_BACKUP_PASSPHRASE", PHRASE + "!")
    assert run(["backup", "verify", str(tmp_path / "a")]) == 1


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [
        ("short\n", 0o600, "too short"),
        ("", 0o600, "too short"),
        (PHRASE, 0o644, "open to others"),
    ],
)
def test_a_bad_passphrase_file_makes_no_backup(
    site: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: str,
    mode: int,
    says: str,
) -> None:
    (tmp_path / "phrase").write_text(content)
    (tmp_path / "phrase").chmod(mode)
    arguments = ["backup", "create", str(tmp_path / "a"), "--data", str(site)]
    assert run([*arguments, "--passphrase-file", str(tmp_path / "phrase")]) == 1
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert not (tmp_path / "a").exists()


def test_nobody_to_ask(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backup", "create", str(tmp_path / "a"), "--data", str(site)]) == 1
    assert "--passphrase-file" in capsys.readouterr().err


def test_a_new_one_is_typed_twice(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    typed = [PHRASE, PHRASE + "x", PHRASE, PHRASE]
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _prompt: typed.pop(0))
    assert run(["backup", "create", str(tmp_path / "a"), "--data", str(site)]) == 0
    assert typed == [], "the first two did not agree"
    typed = [PHRASE]
    assert run(["backup", "verify", str(tmp_path / "a")]) == 0
    assert typed == [], "asked once"
    assert PHRASE not in "".join(capsys.readouterr())


def test_a_long_one_shows_how_far_it_is(
    site: Path,
    phrase: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    arguments = ["--data", str(site), "--passphrase-file", phrase]
    assert run(["backup", "create", str(tmp_path / "a"), *arguments]) == 0
    assert capsys.readouterr().err == "", "it was quick"
    monkeypatch.setattr("doorward.cli.backup._QUIET_S", 0.0)
    assert run(["backup", "create", str(tmp_path / "b"), *arguments]) == 0
    assert "100 %" in capsys.readouterr().err
