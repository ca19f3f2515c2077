"""Self-tests over the API and on the page of the boards: who may, what is asked, and what is shown."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fakes.services import FakeHouse
from fakes.visitor import Visit, Visitor

from doorward.app.views.boards import SelfTest
from doorward.domain import permissions
from doorward.domain.diagnosis import Finding
from doorward.web.selftest_looks import selftest_look

FOUND = Finding("rex.pressed", "The exit button is <pressed>", "free it", ("rex.pin",))
RUNNING = SelfTest("cmd_1", "front", "sam", "reading", datetime(2026, 11, 21, tzinfo=UTC))
OVER = replace(RUNNING, state="done", readings={"board": {}}, findings=(FOUND,))


def headers(visitor: Visitor) -> dict[str, str]:
    return {"Origin": str(visitor.base_url).rstrip("/"), "X-CSRF-Token": visitor.csrf}


async def test_ask_follow_and_say_what_was_heard(house: FakeHouse, visit: Visit) -> None:
    program = await visit(house, local=True)
    path = "/api/v1/devices/front/selftest"
    assert (await program.get(path)).status_code == 404
    asked = await program.post(path, json={"move": True})
    assert (asked.status_code, asked.json()["state"]) == (202, "reading")
    assert house.selftests.asked == [("front", "local", True)]
    assert (await program.post(f"{path}/heard", json={"click": True})).status_code == 409
    house.selftests.tell(replace(OVER, readings={"lock": {}}))
    told = (await program.get(path)).json()
    assert told["findings"] == [
        {
            "code": "rex.pressed",
            "what": FOUND.what,
            "remedy": "free it",
            "sentence": FOUND.sentence,
            "wires": ["rex.pin"],
        }
    ]
    heard = await program.post(f"{path}/heard", json={"click": False})
    assert heard.json()["findings"][0]["code"] == "relay.dead"
    assert (await program.post(path, json={"moves": True})).status_code == 422
    assert (await program.post("/api/v1/devices/side/selftest", json={})).status_code == 503
    assert (await program.post("/api/v1/devices/ghost/selftest", json={})).status_code == 404


@pytest.mark.parametrize("path", ["/api/v1/devices/front/selftest", "/boards/front/test"])
async def test_who_has_the_lock_released_needs_what_opening_needs(
    operator: Visitor, house: FakeHouse, path: str
) -> None:
    async def ask(*, move: bool) -> int:
        how = headers(operator)
        if path.startswith("/api"):
            return (await operator.post(path, json={"move": move}, headers=how)).status_code
        form = {"csrf": operator.csrf, **({"move": "yes"} if move else {})}
        answer = await operator.post(path, data=form, headers={**how, "HX-Request": "true"})
        return answer.status_code

    started = {202, 204}
    assert await ask(move=True) in started
    house.auth.permissions = permissions.ALL - {permissions.DOORS_OPEN}
    assert await ask(move=True) == 403
    assert await ask(move=False) in started
    house.auth.permissions = permissions.ALL
    house.auth.fresh = False
    assert await ask(move=True) == 403
    assert await ask(move=False) in started
    house.auth.permissions = permissions.ALL - {permissions.DEVICES_EDIT}
    assert await ask(move=False) == 403
    assert [move for _, _, move in house.selftests.asked] == [True, False, False]


async def test_the_card_offers_the_test_and_shows_what_came_of_it(
    operator: Visitor, house: FakeHouse
) -> None:
    page = (await operator.open("/boards")).text
    assert 'action="/boards/front/test"' in page
    assert 'action="/boards/side/test"' not in page, "it is not approved yet"
    assert "wiring.svg" not in page
    house.selftests.tell(OVER)
    page = (await operator.open("/boards")).text
    assert "The exit button is &lt;pressed&gt;." in page
    assert 'src="/boards/front/wiring.svg?test=cmd_1-rex.pressed"' in page
    drawn = await operator.open("/boards/front/wiring.svg")
    assert drawn.headers["content-type"] == "image/svg+xml"
    assert "script" not in drawn.headers["content-security-policy"]
    assert "style-src 'unsafe-inline'" in drawn.headers["content-security-policy"]
    house.auth.permissions = frozenset({permissions.DEVICES_SEE, permissions.DOORS_SEE})
    page = (await operator.open("/boards")).text
    assert "The exit button is" in page
    assert "/boards/front/test" not in page


async def test_a_test_that_cannot_be_asked_for_says_why_on_the_card(
    operator: Visitor, house: FakeHouse
) -> None:
    house.devices.change("front", "device.offline", online=False)
    form = {"csrf": operator.csrf}
    how = {**headers(operator), "HX-Request": "true"}
    answer = await operator.post("/boards/front/test", data=form, headers=how)
    assert answer.status_code == 503
    assert "was never heard" in answer.text
    assert 'id="board-front"' in answer.text


async def test_somebody_at_the_door_says_what_they_heard(
    operator: Visitor, house: FakeHouse
) -> None:
    unmoved = Finding("lock.unmoved", "The door stayed shut", "say whether the relay clicked")
    house.selftests.tell(replace(OVER, readings={"lock": {}}, findings=(unmoved,)))
    assert "Did the relay click?" in (await operator.open("/boards")).text
    form = {"csrf": operator.csrf, "click": "no"}
    await operator.post("/boards/front/heard", data=form, headers=headers(operator))
    test = house.selftests.known["front"]
    assert [finding.code for finding in test.findings] == ["relay.dead"]


@pytest.mark.parametrize(
    ("test", "word"),
    [
        (RUNNING, "It looks at itself …"),
        (
            replace(RUNNING, state="watching"),
            "Pull at the door now, and go on pulling: the lock still holds.",
        ),
        (replace(RUNNING, state="failed", note="no word from front"), "No word from front."),
        (replace(OVER, findings=()), "All is well: 1 parts were looked at."),
        (OVER, "One thing to do"),
        (replace(OVER, findings=(FOUND, FOUND)), "2 things to do"),
    ],
)
def test_a_state_is_a_sentence(test: SelfTest, word: str) -> None:
    look = selftest_look(test)
    assert look is not None
    assert look.word == word
