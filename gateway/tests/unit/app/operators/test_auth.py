"""Operators: no default account, tokens once, guesses slowed down on the injected clock."""

from datetime import timedelta

import pyotp
import pytest
from stage.accounts import Desk

from doorward.app.operators.sign_in import OneTimeTokens
from doorward.errors import (
    Conflict,
    InvalidInput,
    NotSignedIn,
    SecondFactorNeeded,
    TooManyAttempts,
)

GOOD = "correct horse battery"


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
        ("a\x07b", GOOD, "username"),
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
    desk = Desk(OneTimeTokens(enter="link"))
    assert not desk.auth.needs_setup()
    with pytest.raises(NotSignedIn):
        await desk.auth.enter("lin")
    session = desk.auth.session(await desk.auth.enter("link"))
    assert session is not None
    with pytest.raises(NotSignedIn, match="used already"):
        await desk.auth.enter("link")


async def test_waits_go_by_a_clock_that_nobody_sets(desk: Desk) -> None:
    await desk.auth.setup("setup-token", "sam", GOOD)
    for _ in range(3):
        with pytest.raises(NotSignedIn):
            await desk.auth.login("sam", "wrong", "10.0.0.1")
    for days in (365, -365):
        desk.clock.set_by = timedelta(days=days)
        with pytest.raises(TooManyAttempts):
            await desk.auth.login("sam", GOOD, "10.0.0.1")


async def fail(desk: Desk, name: str, times: int) -> None:
    """Guess so often, waiting as long as is asked for."""
    done = 0
    while done < times:
        try:
            await desk.auth.login(name, "wrong", f"10.0.0.{done}")
        except TooManyAttempts as refused:
            desk.clock.advance(refused.retry_after)
        except NotSignedIn:
            done += 1


async def test_many_guesses_lock_the_operator_also_after_a_restart(desk: Desk) -> None:
    await desk.auth.setup("setup-token", "sam", GOOD)
    await fail(desk, "sam", 19)
    assert not desk.auth.is_locked("sam")
    desk.clock.advance(300)
    await fail(desk, "sam", 1)
    for _ in range(2):
        assert desk.auth.is_locked("sam")
        assert desk.operators.list()[0].locked
        with pytest.raises(TooManyAttempts) as refused:
            await desk.auth.login("sam", GOOD, "10.9.9.9")
        assert refused.value.retry_after == 3600
        desk.restart()
    assert desk.kinds().count("login.locked") == 1
    desk.clock.advance(3600)
    assert await desk.auth.login("sam", GOOD, "10.9.9.9")
    assert not desk.store.users["sam"].locked


async def test_an_unknown_name_is_locked_alike_and_never_written_down(desk: Desk) -> None:
    await desk.auth.setup("setup-token", "sam", GOOD)
    said = {}
    for name in ("sam", "my-password-in-the-wrong-field"):
        await fail(desk, name, 20)
        with pytest.raises(TooManyAttempts) as refused:
            await desk.auth.login(name, GOOD, "10.9.9.9")
        said[name] = refused.value.message
    assert len(set(said.values())) == 1
    assert "my-password" not in str(desk.rows.rows)


async def test_unlocking_is_at_once_and_on_record(desk: Desk) -> None:
    await desk.auth.setup("setup-token", "sam", GOOD)
    await fail(desk, "sam", 20)
    told = await desk.operators.unlock("SAM", actor="local")
    assert not told.locked
    assert await desk.auth.login("sam", GOOD, "10.9.9.9")
    assert desk.rows.rows[-2].kind == "operator.unlocked"
    assert desk.rows.rows[-2].actor == "local"


async def test_failures_are_told_together(desk: Desk) -> None:
    await desk.auth.setup("setup-token", "sam", GOOD)
    for _ in range(3):
        with pytest.raises(NotSignedIn):
            await desk.auth.login("sam", "wrong", "10.0.0.1")
    assert desk.kinds().count("login.failed") == 1
    assert desk.rows.rows[-1].note == "from 10.0.0.1"
    desk.clock.advance(60)
    assert desk.kinds().count("login.failed") == 2
    assert desk.rows.rows[-1].why == "2 more sign-ins as sam failed within a minute."
    desk.clock.advance(600)
    assert desk.kinds().count("login.failed") == 2
    assert [row.kind for row in desk.told] == desk.kinds()


async def test_signing_in_and_out_is_on_record(desk: Desk) -> None:
    token = await desk.auth.setup("setup-token", "sam", GOOD, "10.0.0.1")
    await desk.auth.logout(token)
    await desk.auth.logout(token)
    assert desk.kinds() == ["operator.added", "login", "logout"]
    assert {row.actor for row in desk.rows.rows} == {"sam"}


async def test_a_session_that_nobody_uses_ends_and_watching_is_no_use(desk: Desk) -> None:
    used = await desk.auth.setup("setup-token", "sam", GOOD)
    watched = await desk.auth.login("sam", GOOD, "10.0.0.1")
    for _ in range(3):
        desk.clock.advance(6 * 3600)
        assert desk.auth.session(used) is not None
        desk.auth.session(watched, use=False)
    assert desk.auth.session(watched) is None
    desk.restart()
    assert desk.auth.session(used) is not None
    assert desk.auth.session(watched) is None
    for _ in range(14):
        desk.clock.advance(11 * 3600)
        desk.auth.session(used)
    assert desk.auth.session(used) is None  # seven days, however much it is used


async def test_setting_the_clock_back_makes_no_session_longer(desk: Desk) -> None:
    token = await desk.auth.setup("setup-token", "sam", GOOD)
    desk.clock.set_by = timedelta(days=-400)
    desk.restart()
    for _ in range(14):
        desk.clock.advance(11.99 * 3600)
        desk.auth.session(token)
    desk.clock.advance(3600)
    assert desk.auth.session(token) is None


async def test_a_login_is_fresh_for_ten_minutes_and_a_password_makes_it_so_again(
    desk: Desk,
) -> None:
    def fresh() -> bool:
        session = desk.auth.session(token)
        assert session is not None
        return session.fresh

    token = await desk.auth.setup("setup-token", "sam", GOOD)
    assert fresh()
    desk.clock.advance(599)
    assert fresh()
    desk.clock.advance(1)
    assert not fresh()
    for _ in range(3):
        with pytest.raises(NotSignedIn):
            await desk.auth.confirm(token, "wrong", "10.0.0.1")
    with pytest.raises(TooManyAttempts):
        await desk.auth.confirm(token, GOOD, "10.0.0.1")
    desk.clock.advance(2)
    assert not fresh()
    await desk.auth.confirm(token, GOOD, "10.0.0.1")
    assert fresh()
    desk.restart()
    assert not fresh()
    with pytest.raises(NotSignedIn):
        await desk.auth.confirm("no session", GOOD, "10.0.0.1")


async def test_who_has_no_password_is_not_asked_for_one() -> None:
    desk = Desk(OneTimeTokens(enter="link"))
    token = await desk.auth.enter("link")
    desk.clock.advance(3600)
    session = desk.auth.session(token)
    assert session is not None
    assert session.fresh
    with pytest.raises(NotSignedIn):
        await desk.auth.login("demo", "", "10.0.0.1")


async def test_the_old_password_is_no_way_round_the_wait(desk: Desk) -> None:
    await desk.auth.setup("setup-token", "sam", GOOD)
    refused: type[Exception] = NotSignedIn
    for number in range(4):
        with pytest.raises(refused):
            await desk.account.change_password("sam", f"guess {number}", GOOD * 2, "there", "")
        refused = TooManyAttempts if number == 2 else NotSignedIn
    # The door to the account knows of it, and the other way round.
    with pytest.raises(TooManyAttempts):
        await desk.auth.login("sam", GOOD, "elsewhere")


async def test_a_heap_of_names_frees_nobody_who_waits(desk: Desk) -> None:
    await desk.auth.setup("setup-token", "sam", GOOD)
    for number in range(3):
        with pytest.raises(NotSignedIn):
            await desk.auth.login("sam", "guess", f"there {number}")
    for number in range(5000):
        with pytest.raises(NotSignedIn):
            await desk.auth.login(f"nobody {number}", "guess", f"far {number}")
    with pytest.raises(TooManyAttempts):
        await desk.auth.login("sam", "guess", "here")


async def test_all_addresses_of_one_ipv6_network_wait_together(desk: Desk) -> None:
    await desk.auth.setup("setup-token", "sam", GOOD)
    for number in range(10):
        with pytest.raises(NotSignedIn):
            await desk.auth.login(f"nobody {number}", "guess", f"2001:db8:1:2::{number:x}")
    with pytest.raises(TooManyAttempts):
        await desk.auth.login("one more", "guess", "2001:db8:1:2:ffff::1")
    with pytest.raises(NotSignedIn):
        await desk.auth.login("one more", "guess", "2001:db8:1:3::1")


async def test_a_ticket_is_worth_nothing_after_a_new_password(desk: Desk) -> None:
    await desk.auth.setup("setup-token", "sam", GOOD)
    seed = desk.account.offer_second_factor("sam", "doorward").secret
    code = pyotp.TOTP(seed).at(desk.clock.now())
    _, codes = await desk.account.take_second_factor("sam", code, "here", "")
    with pytest.raises(SecondFactorNeeded) as asked:
        await desk.auth.login("sam", GOOD, "there")
    await desk.account.change_password("sam", GOOD, GOOD * 2, "here", "")
    with pytest.raises(NotSignedIn, match="sign in again"):
        await desk.auth.answer(asked.value.ticket, codes[0], "there")


async def test_a_password_that_is_changed_meanwhile_signs_nobody_in(desk: Desk) -> None:
    await desk.auth.setup("setup-token", "sam", GOOD)
    verify = desk.passwords.verify

    async def slowly(hashed: str, password: str) -> bool:
        fits = await verify(hashed, password)
        await desk.operators.set_password("sam", GOOD * 2, actor="ann")
        return fits

    desk.passwords.verify = slowly  # type: ignore[method-assign]
    with pytest.raises(NotSignedIn):
        await desk.auth.login("sam", GOOD, "there")
