"""The audit over the API: the verdict as JSON, the export as a file."""

from datetime import UTC, datetime

from fakes.services import FakeHouse
from fakes.visitor import Visit, Visitor

from doorward.app.views.audit import AuditFinding


async def test_the_verdict_names_what_is_wrong(house: FakeHouse, operator: Visitor) -> None:
    answer = (await operator.get("/api/v1/audit/verify")).json()
    assert (answer["ok"], answer["last"], answer["findings"]) == (True, 2, [])
    house.trail.findings = (AuditFinding("edited", 2, "it is not what was written here"),)
    answer = (await operator.get("/api/v1/audit/verify")).json()
    assert (answer["ok"], answer["findings"][0]["row"]) == (False, 2)


async def test_an_export_is_a_file_and_names_who_took_it(
    house: FakeHouse, operator: Visitor
) -> None:
    path = "/api/v1/audit/export?format=csv&since=2026-11-21T10:00:00&until=2026-11-21T12:00:00Z"
    answer = await operator.get(path)
    assert answer.content == b"one\ntwo\n"
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    assert answer.headers["cache-control"] == "no-store"
    span = (datetime(2026, 11, 21, 10, tzinfo=UTC), datetime(2026, 11, 21, 12, tzinfo=UTC))
    assert house.trail.taken == [("csv", *span, "admin")]


async def test_no_other_format_is_made_up(house: FakeHouse, visit: Visit) -> None:
    local = await visit(house, local=True)
    answer = await local.get("/api/v1/audit/export?format=xlsx")
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "format")
