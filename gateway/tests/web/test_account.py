from fakes.services import FRONT, ONE_TIME, PASSWORD, SETUP_TOKEN, FakeHouse
from fakes.visitor import Visit, Visitor


async def test_without_a_session_there_is_only_the_login(house: FakeHouse, visit: Visit) -> None:
    visitor = await visit(house)
    response = await visitor.get("/")
    assert (response.status_code, response.headers["location"]) == (303, "/login")
    assert "Front door" not in response.text


async def test_a_password_is_traded_for_a_session(house: FakeHouse, visit: Visit) -> None:
    visitor = await visit(house)
    response = await visitor.log_in()
    assert (response.status_code, response.headers["location"]) == (303, "/")
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Front door" in (await visitor.get("/")).text


async def test_the_cookie_is_secure_where_the_page_is(house: FakeHouse, visit: Visit) -> None:
    visitor = await visit(house, origin="https://door.test")
    assert "Secure" in (await visitor.log_in()).headers["set-cookie"]


async def test_a_wrong_password_says_so_and_keeps_the_name(house: FakeHouse, visit: Visit) -> None:
    visitor = await visit(house)
    await visitor.open("/login")
    response = await visitor.submit("/login", username="admin", password="guess")
    assert response.status_code == 401
    assert 'value="admin"' in response.text
    assert "guess" not in response.text
    assert "The name or the password is wrong" in response.text


async def test_guessing_is_slowed_down(house: FakeHouse, visit: Visit) -> None:
    visitor = await visit(house)
    await visitor.open("/login")
    for _ in range(3):
        await visitor.submit("/login", username="admin", password="guess")
    response = await visitor.submit("/login", username="admin", password=PASSWORD)
    assert (response.status_code, response.headers["retry-after"]) == (429, "60")


async def test_a_login_is_a_new_session_and_ends_the_old_one(
    operator: Visitor, house: FakeHouse
) -> None:
    before = set(house.auth.sessions)
    operator.csrf = operator.cookies["doorward_0_form"]
    await operator.submit("/login", username="admin", password=PASSWORD)
    after = set(house.auth.sessions)
    assert len(after) == 1
    assert not before & after


async def test_an_id_that_somebody_planted_is_never_taken_over(
    house: FakeHouse, visit: Visit
) -> None:
    visitor = await visit(house)
    visitor.cookies.set("doorward_0", "planted", domain="door.test", path="/")
    await visitor.log_in()
    assert visitor.cookies["doorward_0"] in house.auth.sessions
    assert visitor.cookies["doorward_0"] != "planted"


async def test_logging_out_ends_the_session_in_the_gateway_too(
    operator: Visitor, house: FakeHouse
) -> None:
    response = await operator.submit("/logout")
    assert response.headers["location"] == "/login"
    assert not house.auth.sessions
    assert (await operator.get("/")).status_code == 303


async def test_the_first_run_asks_for_the_setup_token(visit: Visit) -> None:
    visitor = await visit(FakeHouse(FRONT, new=True))
    assert (await visitor.get("/login")).headers["location"] == "/setup"
    page = await visitor.open("/setup")
    assert "Setup token" in page.text
    response = await visitor.submit("/setup", token="guess", username="ada", password=PASSWORD)
    assert response.status_code == 401
    response = await visitor.submit("/setup", token=SETUP_TOKEN, username="ada", password="short")
    assert response.status_code == 422
    assert f'value="{SETUP_TOKEN}"' in response.text
    response = await visitor.submit("/setup", token=SETUP_TOKEN, username="ada", password=PASSWORD)
    assert response.headers["location"] == "/"
    assert "ada" in (await visitor.get("/")).text
    assert (await visitor.get("/setup")).status_code == 303


async def test_looking_at_a_one_time_link_does_not_use_it_up(
    house: FakeHouse, visit: Visit
) -> None:
    link = f"/enter/{ONE_TIME}"
    ahead = await visit(house)
    for _ in range(3):
        assert (await ahead.get(link)).status_code == 200
    visitor = await visit(house)
    await visitor.open(link)
    assert (await visitor.submit(link)).headers["location"] == "/"
    assert (await visitor.get("/")).status_code == 200
    late = await visit(house)
    await late.open(link)
    assert (await late.submit(link)).status_code == 401


async def test_a_link_that_lets_nobody_in_has_no_button_to_press_again(
    house: FakeHouse, visit: Visit
) -> None:
    visitor = await visit(house)
    ready = await visitor.open("/enter/invented")
    assert "Your virtual site is ready" in ready.text
    refused = await visitor.submit("/enter/invented")
    assert refused.status_code == 401
    assert "Your virtual site is ready" not in refused.text
    assert "This link lets nobody in" in refused.text
    assert "<button" not in refused.text


async def test_who_left_the_demo_is_told_the_way_back_in(visit: Visit) -> None:
    visitor = await visit(FakeHouse(FRONT, demo=True, link_only=True))
    page = await visitor.get("/login")
    assert "Restart the demo for a new link" in page.text
    assert "Password</span>" not in page.text
    with_operator = await visit(FakeHouse(FRONT, demo=True))
    assert "Password</span>" in (await with_operator.get("/login")).text
