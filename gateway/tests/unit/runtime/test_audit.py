"""What `audit verify` finds without a gateway has the shape of what the API answers."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from doorward.app.views.audit import AuditEntry, AuditFinding, AuditVerdict
from doorward.runtime import audit
from doorward.web.api.shapes.audit import VerdictAnswer

NOON = datetime(2026, 5, 6, 12, 0, 0, 250_000, tzinfo=UTC)
FOUND = AuditVerdict(
    first=1,
    last=9,
    proven=7,
    anchors=2,
    since=NOON,
    erased=1,
    entries=4,
    findings=(AuditFinding("hole", 10, "a row is gone", "front", 12),),
    remarks=(AuditEntry(3, NOON, "restored", why="A backup was restored.", actor="ann"),),
)


def test_offline_it_answers_as_the_api_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = tmp_path / "ca.crt"
    authority.touch()
    for found in (FOUND, AuditVerdict(1, 0, 0, 0, None, 0, 0, (), ())):
        monkeypatch.setattr(audit, "check_file", lambda _path, _root, found=found: found)
        shown = audit.verify_file(tmp_path / "export.jsonl", authority)
        of_the_api = VerdictAnswer.model_validate(found).model_dump(mode="json")
        assert (shown, list(shown)) == (of_the_api, list(of_the_api))
