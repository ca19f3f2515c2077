"""Operators: no default account, tokens once, guesses slowed down on the injected clock."""

import pytest
from stage import FakeClock, MemoryStore

from doorward.app.auth import Operators, Tokens
from doorward.domain.snapshot import Rules
from doorward.errors import Conflict, InvalidInput, NotSignedIn, TooManyAttempts

GOOD = "correct horse battery"


class PlainPasswords:
    """Counts how often it was asked: work must not depend on whether somebody exists."""

    def __init__(self) -> None:
        self.verified = 0

    async def hash(self, password: str) -> str:
        return "hashed " + password

    async def verify(self, hashed: str, password: str) -> bool:
        self.verified += 1
        return hashed == "hashed " + password


class Desk:
    def __init__(self, tokens: Tokens | None = None) -> None:
        self.store = MemoryStore(Rules())
        self.clock = FakeClock()
        self.passwords = PlainPasswords()
        self.tokens = tokens or Tokens(setup="setup-token")
        self.restart()

    def restart(self) -> None:
        self.auth = Operators(self.store, self.passwords, self.clock, self.tokens)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_the_first_operator_needs_the_token_and_there_is_one_first(desk: Desk) -> None:
    assert desk.auth.needs_setup()
    assert not desk.auth.has_operators()
    with pytest.raises(NotSignedIn, match="setup token is wrong"):
        await desk.auth.setup("guess", "sam", GOOD)
    token = await desk.auth.setup(" setup-token ", " sam ", GOOD)
    session = desk.auth.session(token)
    assert session is not None
    assert session.username == "sam"
    assert not desk.auth.needs_setup()
    assert desk.auth.has_operators()
    with pytest.raises(Conflict):
        await desk.auth.setup("setup-token", "eve", GOOD)


@pytest.mark.parametrize(
    ("username", "password", "field"),
    [
        ("", GOOD, "username"),
        ("a\nb", GOOD, "username"),
        ("sam", "short", "password"),
        ("sam", "x" * 300, "password"),
    ],
)
async def test_bad_input_names_its_field_and_costs_no_token(
    desk: Desk, username: str, password: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await desk.auth.setup("setup-token", username, password)
    assert refused.value.field == field
    assert desk.auth.needs_setup()


async def test_nobody_can_sign_in_before(desk: Desk) -> None:
    for username, password in [("admin", "admin123"), ("", ""), ("root", "")]:
        with pytest.raises(NotSignedIn):
            await desk.auth.login(username, password, f"address of {username}")


async def test_a_wrong_password_and_a_wrong_name_cost_and_say_the_same(desk: Desk) -> None:
    await desk.auth.setup("setup-token", "sam", GOOD)
    said = []
    for name in ("sam", "nobody"):
        with pytest.raises(NotSignedIn) as refused:
            await desk.auth.login(name, "wrong password", "10.0.0.1")
        said.append(refused.value.message)
    assert said[0] == said[1]
    assert desk.passwords.verified == 2


async def test_guessing_gets_slower_and_a_good_login_forgets(desk: Desk) -> None:
    await desk.auth.setup("setup-token", "sam", GOOD)
    for _ in range(3):
        with pytest.raises(NotSignedIn):
            await desk.auth.login("sam", "wrong", "10.0.0.1")
    with pytest.raises(TooManyAttempts, match="try again in 2 s"):
        await desk.auth.login("sam", GOOD, "10.0.0.2")
    desk.clock.advance(2)
    assert await desk.auth.login("SAM", GOOD, "10.0.0.1")
    with pytest.raises(NotSignedIn):
        await desk.auth.login("sam", "wrong", "10.0.0.1")


async def test_the_wait_doubles_up_to_five_minutes(desk: Desk) -> None:
    waits = []
    for _ in range(14):
        try:
            await desk.auth.login("sam", "wrong", "10.0.0.1")
        except TooManyAttempts as refused:
            waits.append(refused.retry_after)
            desk.clock.advance(refused.retry_after)
        except NotSignedIn:
            pass
    assert waits[:4] == [2, 4, 8, 16]
    assert max(waits) <= 300


async def test_a_session_ends_by_time_by_logout_and_survives_a_restart(desk: Desk) -> None:
    first = await desk.auth.setup("setup-token", "sam", GOOD)
    second = await desk.auth.login("sam", GOOD, "10.0.0.1")
    desk.restart()
    assert desk.auth.session(first) is not None
    await desk.auth.logout(first)
    assert desk.auth.session(first) is None
    desk.restart()
    assert desk.auth.session(first) is None
    assert desk.auth.session(second) is not None
    desk.clock.advance(7 * 86400)
    assert desk.auth.session(second) is None


async def test_the_store_never_sees_a_token(desk: Desk) -> None:
    token = await desk.auth.setup("setup-token", "sam", GOOD)
    [kept] = desk.store.sessions()
    assert token.encode() not in kept.token
    assert len(kept.token) == 32


async def test_the_demos_link_works_once() -> None:
    desk = Desk(Tokens(enter="link"))
    assert not desk.auth.needs_setup()
    with pytest.raises(NotSignedIn):
        await desk.auth.enter("lin")
    session = desk.auth.session(await desk.auth.enter("link"))
    assert session is not None
    with pytest.raises(NotSignedIn, match="used already"):
        await desk.auth.enter("link")
