"""Two installations on one machine know nothing of each other, and leave nothing behind."""

from pathlib import Path

from demos import Demo


def test_two_demos_do_not_disturb_each_other(tmp_path: Path) -> None:
    with Demo(tmp_path / "a") as first, Demo(tmp_path / "b") as second:
        assert first.tap("member")["granted"] is True
        assert (first.openings(), second.openings()) == (1, 0)
        assert second.audit() == []

        first.ask("people", "add", "Only Here")
        assert "Only Here" not in second.run("people", "list").stdout

        assert first.interrupt() == 0
        assert first.leftovers() == []
        assert second.tap("stranger")["granted"] is False
        assert second.tap("member")["granted"] is True
        assert second.openings() == 1
        assert second.interrupt() == 0
        assert second.leftovers() == []


def test_what_was_learnt_is_still_there_after_a_restart(tmp_path: Path) -> None:
    with Demo(tmp_path / "a") as demo:
        demo.ask("people", "add", "Noor Haddad")
        demo.tap("member")
        assert demo.interrupt() == 0
    with Demo(tmp_path / "a") as demo:
        assert "Noor Haddad" in demo.run("people", "list").stdout
        assert demo.audit()[0]["person"] == "Maya Okafor"
        assert demo.tap("member")["granted"] is True
