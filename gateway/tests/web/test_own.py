"""One's own account and the operators page, with the application's own use cases behind them."""

import re
from dataclasses import replace

import pyotp
import pytest
from fakes.services import FRONT, PASSWORD, FakeHouse
from fakes.visitor import Visit, Visitor

from doorward.domain import permissions
from doorward.web.agents import browser
from doorward.web.pages.confirm import own_path
from doorward.web.permission_words import permission_words


@pytest.fixture
async def house() -> FakeHouse:
    """A house with one real operator, `admin`."""
    house = FakeHouse(FRONT)
    await house.desk.auth.setup("setup-token", "admin", PASSWORD)
    house.services = replace(house.services, auth=house.desk.auth)
    return house


@pytest.fixture
async def operator(house: FakeHouse, visit: Visit) -> Visitor:
    visitor = await visit(house)
    visitor.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"
    await visitor.log_in()
    return visitor


async def test_a_new_password_is_taken_and_the_cookie_changes(
    operator: Visitor, house: FakeHouse, visit: Visit
) -> None:
    other = await visit(house)
    await other.log_in()
    before = operator.cookies["doorward_0"]
    refused = await operator.submit("/account/password", old="wrong", new=PASSWORD * 2)
    assert refused.status_code == 401
    assert "That is not your password" in refused.text
    refused = await operator.submit("/account/password", old=PASSWORD, new="short")
    assert refused.status_code == 422
    done = await operator.submit("/account/password", old=PASSWORD, new=PASSWORD * 2)
    assert done.headers["location"] == "/account"
    assert operator.cookies["doorward_0"] != before
    assert (await operator.get("/account")).status_code == 200
    assert (await other.get("/account")).headers["location"] == "/login"


async def test_tokens_outlive_a_new_password_unless_they_are_to_go(
    operator: Visitor, house: FakeHouse
) -> None:
    tokens = house.desk.tokens
    text, _ = await tokens.add("admin", "Wall display", ["doors.see"], 90, actor="admin")
    assert "they go on: Wall display" in (await operator.open("/account")).text
    await operator.submit("/account/password", old=PASSWORD, new=PASSWORD * 2)
    assert tokens.find(text) is not None
    await operator.open("/account")
    wrong = {"old": "wrong", "new": PASSWORD, "revoke_tokens": "yes"}
    await operator.submit("/account/password", **wrong)
    assert tokens.find(text) is not None, "nothing is revoked by who does not know the password"
    right = {"old": PASSWORD * 2, "new": PASSWORD, "revoke_tokens": "yes"}
    await operator.submit("/account/password", **right)
    assert tokens.find(text) is None


def test_every_permission_is_told_in_words() -> None:
    assert [name for name in permissions.ALL if permission_words(name) == name] == []
    assert permission_words("doors.open") == "Open doors"


async def test_sessions_are_shown_and_ended(
    operator: Visitor, house: FakeHouse, visit: Visit
) -> None:
    other = await visit(house)
    await other.log_in()
    page = (await operator.get("/account")).text
    assert "Firefox on Linux" in page
    ends = re.findall(r'action="(/account/sessions/[^"]+)"', page)
    assert len(ends) == 2  # the one of the setup, and the other's; never one's own
    for end in ends:
        assert (await operator.submit(end)).status_code == 303
    assert (await other.get("/account")).status_code == 303
    assert (await operator.get("/account")).status_code == 200
    assert (await operator.submit(ends[0])).status_code == 404


async def test_a_second_factor_is_set_up_asked_for_and_given_up(
    operator: Visitor, house: FakeHouse, visit: Visit
) -> None:
    before = operator.cookies["doorward_0"]
    page = (await operator.get("/account/second-factor")).text
    assert "<svg" in page
    assert "style=" not in page
    found = re.search(r'<code class="secret">([A-Z2-7]{32})</code>', page)
    assert found
    generator = pyotp.TOTP(found[1])
    wrong = await operator.submit("/account/second-factor", code="000000")
    assert wrong.status_code == 422
    assert found[1] in wrong.text
    now = house.desk.clock.now
    done = await operator.submit("/account/second-factor", code=generator.at(now()))
    codes = re.findall(r"<li>((?:[A-Z2-7]{4}-){3}[A-Z2-7]{4})</li>", done.text)
    assert len(codes) == 10
    assert operator.cookies["doorward_0"] != before

    house.desk.clock.advance(60)
    visitor = await visit(house)
    await visitor.open("/login")
    step = await visitor.submit("/login", username="admin", password=PASSWORD)
    assert step.status_code == 200
    assert "doorward_0" not in visitor.cookies
    ticket = re.search(r'name="ticket" value="([^"]+)"', step.text)
    assert ticket
    wrong = await visitor.submit("/login/code", ticket=ticket[1], code="000000")
    assert wrong.status_code == 401
    assert ticket[1] in wrong.text
    right = await visitor.submit("/login/code", ticket=ticket[1], code=codes[0])
    assert right.headers["location"] == "/"
    assert (await visitor.get("/account")).status_code == 200
    late = await visitor.submit("/login/code", ticket="none", code="000000")
    assert "That took too long" in late.text

    await operator.open("/account")
    assert (await operator.submit("/account/second-factor/drop")).status_code == 303
    assert not house.desk.account.show("admin").second_factor


async def test_what_asks_for_a_fresh_login_is_behind_the_question(
    operator: Visitor, house: FakeHouse
) -> None:
    house.desk.clock.advance(600)
    page = (await operator.get("/account")).text
    assert "/confirm?next=/account" in page
    for hidden in ("/account/tokens", "/account/second-factor"):
        assert f'action="{hidden}"' not in page
    for path in ("/account/tokens", "/account/second-factor", "/account/second-factor/drop"):
        refused = await operator.submit(path, name="x", days="1", scopes="doors.see")
        assert refused.headers["location"] == "/confirm?next=%2F"
    asked = await operator.get("/account/second-factor")
    assert asked.headers["location"] == "/confirm?next=%2Faccount%2Fsecond-factor"
    assert house.desk.tokens.list() == ()
    await operator.open("/confirm?next=/account")
    wrong = await operator.submit("/confirm", proof="guess", next="/account")
    assert wrong.status_code == 401
    right = await operator.submit("/confirm", proof=PASSWORD, next="/account")
    assert right.headers["location"] == "/account"
    assert "/confirm" not in (await operator.get("/account")).text


async def test_the_open_button_asks_in_a_dialog(operator: Visitor, house: FakeHouse) -> None:
    house.desk.clock.advance(600)
    assert (await operator.submit("/doors/front/open")).headers["location"] == "/confirm?next=%2F"
    operator.headers["HX-Request"] = "true"
    asked = await operator.submit("/doors/front/open")
    assert asked.status_code == 403
    assert asked.headers["hx-retarget"] == "#confirm"
    assert 'name="proof"' in asked.text
    wrong = await operator.submit("/confirm", proof="guess")
    assert (wrong.status_code, wrong.headers["hx-retarget"]) == (401, "#confirm")
    right = await operator.submit("/confirm", proof=PASSWORD)
    assert (right.status_code, right.text) == (200, "")
    assert house.history.entries == []
    assert (await operator.submit("/doors/front/open")).status_code == 204
    assert len(house.history.entries) == 1


async def test_guessing_at_the_dialog_is_slowed_down(operator: Visitor, house: FakeHouse) -> None:
    for _ in range(3):
        await operator.submit("/confirm", proof="guess")
    slow = await operator.submit("/confirm", proof=PASSWORD)
    assert (slow.status_code, slow.headers["retry-after"]) == (429, "2")


async def test_a_token_is_made_shown_once_and_revoked(operator: Visitor, house: FakeHouse) -> None:
    wrong = await operator.submit("/account/tokens", name="cron", days="30", scopes="doors.opne")
    assert wrong.status_code == 422
    made = await operator.submit("/account/tokens", name="cron", days="30", scopes="doors.see")
    text = re.search(r"dw_[\w-]{43}", made.text)
    assert text
    page = (await operator.get("/account")).text
    assert text[0] not in page
    assert text[0][:9] in page
    assert (await operator.submit("/account/tokens/1/revoke")).status_code == 303
    assert house.desk.tokens.find(text[0]) is None
    assert (await operator.submit("/account/tokens/1/revoke")).status_code == 404


async def test_operators_are_kept_on_their_page(
    operator: Visitor, house: FakeHouse, visit: Visit
) -> None:
    fields = {"username": "tess", "password": PASSWORD, "role": "Teacher"}
    assert (await operator.submit("/operators", **fields)).status_code == 303
    twice = await operator.submit("/operators", **fields)
    assert twice.status_code == 409
    assert "There is an operator tess already" in twice.text
    await operator.submit("/operators/role", username="tess", role="Guest")
    assert house.desk.operators.list()[1].role == "Guest"
    alone = await operator.submit("/operators/role", username="admin", role="Guest")
    assert "only Admin" in alone.text
    assert (await operator.submit("/operators/unlock", username="tess")).status_code == 303
    house.desk.clock.advance(600)
    page = (await operator.get("/operators")).text
    assert "/confirm?next=/operators" in page
    assert 'action="/operators' not in page
    tess = await visit(house)
    await tess.open("/login")
    await tess.submit("/login", username="tess", password=PASSWORD)
    assert (await tess.get("/operators")).status_code == 403
    assert "/operators" not in (await tess.get("/account")).text


@pytest.mark.parametrize(
    "path", ["//evil.test", "https://evil.test", "/\\evil.test", "", "javascript:x", "/a\r\nb"]
)
def test_the_way_back_stays_in_the_house(path: str) -> None:
    assert own_path(path) == "/"
    assert own_path("/account") == "/account"


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537 Edg/140", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140 Mobile Safari/537", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone) Version/18 Mobile Safari/604", "Safari on iPhone"),
        ("", "A browser"),
    ],
)
def test_a_browser_is_known_by_its_name(agent: str, told: str) -> None:
    assert browser(agent) == told
