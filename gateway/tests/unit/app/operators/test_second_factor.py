"""The second factor: one code is good once, around its time, and a lost telephone is not the end."""

import hashlib
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
from stage.accounts import Desk

from doorward.domain import second_factor
from doorward.errors import (
    Conflict,
    InvalidInput,
    NotSignedIn,
    SecondFactorNeeded,
    TooManyAttempts,
)

GOOD = "correct horse battery"
WHERE = ("10.0.0.1", "Firefox")
SEED = b"12345678901234567890"  # of RFC 6238, appendix B


@pytest.mark.parametrize(
    ("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (2000000000, "279037")]
)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert second_factor.matching_step(SEED, code, at, 0) == seconds // 30


def test_a_code_counts_one_step_early_or_late_and_no_more() -> None:
    at = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
    now = int(at.timestamp()) // 30
    found = {
        off: second_factor.matching_step(SEED, pyotp.TOTP(second_factor.spelled(SEED)).at(
            at + timedelta(seconds=30 * off)
        ), at, 0)
        for off in range(-3, 4)
    }  # fmt: skip
    assert found == {-3: None, -2: None, -1: now - 1, 0: now, 1: now + 1, 2: None, 3: None}


@pytest.mark.parametrize("code", ["", "000000", "28708", "2870820", "²87082", "\ud800", "x" * 9999])
def test_anything_else_is_no_code(code: str) -> None:
    assert second_factor.matching_step(SEED, code, datetime.fromtimestamp(59, UTC), 0) is None


def test_recovery_codes_are_long_and_random_and_read_back_as_people_type_them() -> None:
    codes = second_factor.new_recovery_codes()
    assert len(set(codes)) == 10
    assert all(len(code.replace("-", "")) == 16 for code in codes)
    digest = second_factor.recovery_digest(codes[0])
    assert second_factor.recovery_digest(codes[0].lower().replace("-", " ")) == digest
    assert digest == hashlib.sha256(codes[0].replace("-", "").encode()).digest()


@pytest.fixture
async def desk() -> Desk:
    """Sam, with a second factor since a minute ago."""
    desk = Desk()
    await desk.auth.setup("setup-token", "sam", GOOD)
    offered = desk.account.offer_second_factor("sam", "The school")
    assert desk.account.offer_second_factor("sam", "The school") == offered
    with pytest.raises(InvalidInput):
        await desk.account.take_second_factor("sam", "000000", *WHERE)
    assert desk.store.users["sam"].seed is None
    parts = urlsplit(offered.address)
    assert unquote(parts.path) == "/The school:sam"
    assert parse_qs(parts.query)["secret"] == [offered.secret]
    desk.token, desk.codes = await desk.account.take_second_factor("sam", code(desk), *WHERE)  # type: ignore[attr-defined]
    desk.clock.advance(60)
    return desk


def code(desk: Desk) -> str:
    seed = desk.store.users["sam"].seed or desk.account._offered["sam"]
    return pyotp.TOTP(second_factor.spelled(seed)).at(desk.clock.now())


async def ticket(desk: Desk) -> str:
    with pytest.raises(SecondFactorNeeded) as asked:
        await desk.auth.login("sam", GOOD, "10.0.0.1")
    assert asked.value.ticket not in asked.value.message
    return asked.value.ticket


async def test_a_password_alone_is_not_enough(desk: Desk) -> None:
    first = await ticket(desk)
    with pytest.raises(NotSignedIn):
        await desk.auth.answer(first, "000000", *WHERE)
    token = await desk.auth.answer(first, code(desk), *WHERE)
    assert desk.auth.session(token) is not None
    with pytest.raises(NotSignedIn):
        await desk.auth.answer(first, code(desk), *WHERE)


async def test_a_code_is_used_once_also_by_two_at_once_and_after_a_restart(desk: Desk) -> None:
    one, two = await ticket(desk), await ticket(desk)
    now = code(desk)
    await desk.auth.answer(one, now, *WHERE)
    with pytest.raises(NotSignedIn):
        await desk.auth.answer(two, now, *WHERE)
    desk.restart()
    third = await ticket(desk)
    with pytest.raises(NotSignedIn):
        await desk.auth.answer(third, now, *WHERE)
    desk.clock.advance(30)
    assert await desk.auth.answer(third, code(desk), *WHERE)


async def test_a_ticket_is_good_for_five_minutes(desk: Desk) -> None:
    late = await ticket(desk)
    desk.clock.advance(301)
    with pytest.raises(NotSignedIn, match="too long"):
        await desk.auth.answer(late, code(desk), *WHERE)


async def test_knowing_the_password_does_not_make_guessing_codes_free(desk: Desk) -> None:
    for number in range(1, 4):
        asked = ticket(desk)
        if number == 3:
            with pytest.raises(TooManyAttempts):
                await asked
        else:
            with pytest.raises((NotSignedIn, TooManyAttempts)):
                await desk.auth.answer(await asked, "000000", f"10.0.1.{number}")


async def test_a_recovery_code_works_once(desk: Desk) -> None:
    lost = desk.codes[3]  # type: ignore[attr-defined]
    assert await desk.auth.answer(await ticket(desk), lost.lower(), *WHERE)
    assert desk.account.show("sam").recovery_codes == 9
    with pytest.raises(NotSignedIn):
        await desk.auth.answer(await ticket(desk), lost, *WHERE)
    assert "used a recovery code; 9 are left" in str(desk.rows.rows)
    assert lost not in str(desk.rows.rows)


async def test_a_code_confirms_too(desk: Desk) -> None:
    token = desk.token  # type: ignore[attr-defined]
    desk.clock.advance(900)
    session = desk.auth.session(token)
    assert session is not None
    assert not session.fresh
    await desk.auth.confirm(token, code(desk), "10.0.0.1")
    session = desk.auth.session(token)
    assert session is not None
    assert session.fresh


async def test_setting_it_up_and_giving_it_up_ends_every_session(desk: Desk) -> None:
    old = desk.token  # type: ignore[attr-defined]
    with pytest.raises(Conflict):
        desk.account.offer_second_factor("sam", "x")
    new = await desk.account.drop_second_factor("sam", *WHERE)
    assert desk.auth.session(old) is None
    assert desk.auth.session(new) is not None
    assert not desk.account.show("sam").second_factor
    assert await desk.auth.login("sam", GOOD, "10.0.0.1")


async def test_a_seed_is_in_no_repr(desk: Desk) -> None:
    account = desk.store.users["sam"]
    assert account.seed is not None
    for secret in (repr(account.seed), account.password, account.recovery[0].hex()):
        assert secret not in repr(account)
