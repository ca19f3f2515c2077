"""The audit of an installation that ran, and stands still: rows taken away from outside are missed."""

from pathlib import Path

from bench.audit_tampers import unlocked
from demos import Demo
from sqlcipher3 import dbapi2


def test_rows_that_are_taken_from_a_stopped_gateway_are_missed_for_good(tmp_path: Path) -> None:
    data = tmp_path / "d"
    with Demo(data) as demo:
        demo.tap("member")
    whole = demo.ask("audit", "verify", "--offline")
    assert (whole["findings"], whole["proven"]) == ([], whole["last"])
    database = dbapi2.connect(str(data / "gateway.db"))
    key = (data / "keys" / "database.key").read_bytes().hex()
    database.execute(f"PRAGMA key = \"x'{key}'\"")
    unlocked(database)
    database.execute("DELETE FROM audit WHERE id = ?", (whole["last"],))
    database.commit()
    database.close()
    missed = demo.run("audit", "verify", "--offline")
    assert missed.returncode == 1
    assert f"FAIL row {whole['last']}, truncated" in missed.stdout
    with Demo(data) as again:
        again.tap("former")
        found = again.run("audit", "verify")
        assert found.returncode == 1
        assert f"FAIL row {whole['last']}, truncated" in found.stdout
