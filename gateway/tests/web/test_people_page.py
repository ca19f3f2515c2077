"""The page of the people: a code is given, shown once, and taken away; by who may, and nothing of it is kept."""

import re

import pytest
from fakes.services import FRONT, FakeHouse
from fakes.visitor import Visit, Visitor

from doorward.domain import permissions

HTMX = {"hx-request": "true"}
MAYA = "Maya Okafor"


@pytest.fixture
def house() -> FakeHouse:
    return FakeHouse(FRONT)


async def give(operator: Visitor, **fields: str) -> tuple[int, str]:
    """What the page's script is answered."""
    headers = {"Origin": str(operator.base_url).rstrip("/"), **HTMX}
    data = {"csrf": operator.csrf, "person": MAYA, **fields}
    answer = await operator.post("/people/codes", data=data, headers=headers)
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.text


async def test_a_typed_code_is_given_and_is_in_no_answer(
    operator: Visitor, house: FakeHouse
) -> None:
    page = (await operator.open("/people")).text
    assert MAYA in page
    assert "has a code" not in page
    status, row = await give(operator, code="471108", again="471108")
    assert (status, "471108" in row) == (200, False)
    assert row.lstrip().startswith('<li class="row person" id="person-1"')
    assert "The code holds from now on." in row
    assert "has a code" in row
    assert [(card.person, card.tail) for card in house.people.cards.values()] == [(MAYA, "code")]
    assert house.people.actors == ["admin"]
    assert "has a code" in (await operator.get("/people")).text


async def test_a_code_that_is_made_is_shown_once(operator: Visitor) -> None:
    await operator.open("/people")
    status, row = await give(operator, how="made")
    assert status == 200
    assert re.search(r'<p class="secret mono"[^>]*>4711</p>', row)
    assert "it is not shown again" in row
    assert "4711" not in (await operator.get("/people")).text
    # Without a script it is the whole page, once.
    whole = await operator.submit("/people/codes", person=MAYA, how="made")
    assert whole.status_code == 200
    assert "<html" in whole.text
    assert "4711" in whole.text


@pytest.mark.parametrize(
    ("code", "again", "says"),
    [("471108", "471107", "The two are not the same"), ("12", "12", "digits"), ("", "", "digits")],
)
async def test_what_is_no_code_is_said_where_it_was_typed(
    operator: Visitor, house: FakeHouse, code: str, again: str, says: str
) -> None:
    await operator.open("/people")
    status, row = await give(operator, code=code, again=again)
    assert status == 422
    assert 'role="alert"' in row
    assert says in row
    assert '<details class="person-code" open' in row
    assert not code or f'value="{code}"' not in row
    assert house.people.cards == {}


async def test_all_codes_of_somebody_are_taken_away(operator: Visitor, house: FakeHouse) -> None:
    await operator.open("/people")
    assert (await operator.submit("/people/codes/revoke", person=MAYA)).status_code == 404
    await give(operator, code="471108", again="471108")
    assert "for good" in (await operator.get("/people")).text
    assert (await operator.submit("/people/codes/revoke", person=MAYA)).is_redirect
    assert [card.revoked for card in house.people.cards.values()] == [True]
    page = (await operator.get("/people")).text
    assert "has a code" not in page
    assert "for good" not in page


async def test_who_only_sees_people_has_no_form_and_who_was_away_confirms_first(
    visit: Visit, house: FakeHouse
) -> None:
    house.auth.permissions = frozenset({permissions.DOORS_SEE, permissions.PEOPLE_SEE})
    watcher = await visit(house)
    await watcher.log_in()
    page = (await watcher.open("/people")).text
    assert MAYA in page
    assert "/people/codes" not in page
    assert (await give(watcher, code="471108", again="471108"))[0] == 403
    house.auth.permissions = None
    house.auth.fresh = False
    editor = await visit(house)
    await editor.log_in()
    page = (await editor.open("/people")).text
    assert 'href="/confirm?next=/people"' in page
    assert "/people/codes" not in page
    assert (await give(editor, code="471108", again="471108"))[0] == 403
    assert house.people.cards == {}
