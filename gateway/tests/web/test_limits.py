"""Who asks too much waits, and takes nothing from others."""

from types import SimpleNamespace

import pytest
from fakes.services import FakeHouse
from fakes.visitor import Visit, Visitor

from doorward.web import limits
from doorward.web.limits import PER_ADDRESS, PER_ADDRESS_GUESSES, PER_CALLER, Buckets, Rate


def test_a_bucket_gives_its_burst_then_its_rate() -> None:
    clock = SimpleNamespace(now=0.0)
    buckets = Buckets(Rate(3, 0.5), lambda: clock.now)
    assert [buckets.take("a") for _ in range(5)] == [0, 0, 0, 2, 2]
    assert buckets.take("b") == 0
    clock.now = 1.9
    assert buckets.take("a") == 1
    clock.now = 2.0
    assert [buckets.take("a"), buckets.take("a")] == [0, 2]
    clock.now = 1000.0
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 2]


def test_what_is_kept_of_strangers_is_bounded() -> None:
    buckets = Buckets(Rate(1, 1), lambda: 0.0)
    for number in range(3 * limits._KEPT):
        buckets.take(str(number))
    assert len(buckets._levels) == limits._KEPT


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """No bucket fills during a test, however slow the machine."""
    monkeypatch.setattr(limits, "PER_ADDRESS", Rate(PER_ADDRESS.burst, 0.01))
    monkeypatch.setattr(limits, "PER_CALLER", Rate(PER_CALLER.burst, 0.01))
    monkeypatch.setattr(limits, "PER_ADDRESS_GUESSES", Rate(PER_ADDRESS_GUESSES.burst, 0.01))


async def _until_refused(visitor: Visitor, path: str, most: int) -> int:
    for count in range(most):
        answer = await visitor.get(path)
        if answer.status_code == 429:
            assert int(answer.headers["retry-after"]) >= 1
            assert "content-security-policy" in answer.headers
            return count
    return most


async def test_a_session_that_asks_too_much_waits_and_others_do_not(
    operator: Visitor, house: FakeHouse
) -> None:
    path = "/api/v1/doors"
    asked = await _until_refused(operator, path, 200)
    assert PER_CALLER.burst - 10 <= asked < PER_CALLER.burst
    refused = await operator.get(path)
    assert refused.json()["error"]["code"] == "too_many_attempts"
    assert "Too many attempts" in (await operator.get("/")).text
    assert (await operator.get("/static/live.js")).status_code == 200
    operator.cookies.clear()
    await operator.log_in()
    assert (await operator.get(path)).status_code == 200


async def test_an_address_that_asks_too_much_waits_whatever_it_shows(
    house: FakeHouse, visit: Visit
) -> None:
    stranger = await visit(house)
    for number in range(int(PER_ADDRESS.burst)):
        headers = {"Authorization": f"Bearer dw_{number}"}
        assert (await stranger.get("/api/v1/doors", headers=headers)).status_code == 401
    assert (await stranger.get("/api/v1/doors")).status_code == 429


async def test_guesses_are_few_whatever_name_they_are_for(house: FakeHouse, visit: Visit) -> None:
    visitor = await visit(house)
    await visitor.open("/login")
    answers = []
    for number in range(int(PER_ADDRESS_GUESSES.burst) + 1):
        house.auth._failed = 0
        answer = await visitor.submit("/login", username=f"user{number}", password="x")
        answers.append(answer.status_code)
    assert answers == [401] * int(PER_ADDRESS_GUESSES.burst) + [429]


async def test_the_local_socket_is_not_limited(house: FakeHouse, visit: Visit) -> None:
    program = await visit(house, local=True)
    assert await _until_refused(program, "/api/v1/doors", 500) == 500
