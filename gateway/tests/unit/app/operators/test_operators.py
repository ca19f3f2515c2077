"""Operators and their tokens: what changes acts at once, there is always an Admin, nobody gets more than they hold."""

import hashlib

import pytest
from stage.accounts import Desk

from doorward.domain import permissions
from doorward.errors import Conflict, InvalidInput, NotFound, NotSignedIn

GOOD = "correct horse battery"
WHERE = ("10.0.0.1", "Firefox")


@pytest.fixture
async def desk() -> Desk:
    desk = Desk()
    await desk.auth.setup("setup-token", "sam", GOOD)
    await desk.operators.add("tess", GOOD, "teacher", actor="sam")
    return desk


async def test_an_operator_has_a_role_and_what_it_holds(desk: Desk) -> None:
    assert [(one.username, one.role) for one in desk.operators.list()] == [
        ("sam", "Admin"),
        ("tess", "Teacher"),
    ]
    session = desk.auth.session(await desk.auth.login("tess", GOOD, "10.0.0.1"))
    assert session is not None
    assert session.permissions == permissions.SHIPPED["Teacher"]
    for name, role, error in (("TESS", "Guest", Conflict), ("eve", "Boss", NotFound)):
        with pytest.raises(error):
            await desk.operators.add(name, GOOD, role, actor="sam")
    with pytest.raises(InvalidInput):
        await desk.operators.add("eve", "short", "Guest", actor="sam")


async def test_another_role_or_password_ends_the_sessions_at_once(desk: Desk) -> None:
    for change in (
        lambda: desk.operators.set_role("tess", "Guest", actor="sam"),
        lambda: desk.operators.set_password("tess", GOOD, actor="sam"),
    ):
        theirs = await desk.auth.login("tess", GOOD, "10.0.0.1")
        mine = await desk.auth.login("sam", GOOD, "10.0.0.1")
        await change()
        assert desk.auth.session(theirs) is None
        assert desk.auth.session(mine) is not None
    assert desk.operators.list()[1].role == "Guest"


async def test_ones_own_new_password_needs_the_old_one_and_begins_a_new_session(desk: Desk) -> None:
    tokens = [await desk.auth.login("tess", GOOD, "10.0.0.1") for _ in range(2)]
    with pytest.raises(NotSignedIn):
        await desk.account.change_password("tess", "wrong", GOOD * 2, *WHERE)
    with pytest.raises(InvalidInput):
        await desk.account.change_password("tess", GOOD, "short", *WHERE)
    new = await desk.account.change_password("tess", GOOD, GOOD * 2, *WHERE)
    assert [desk.auth.session(token) for token in tokens] == [None, None]
    assert desk.auth.session(new) is not None
    with pytest.raises(NotSignedIn):
        await desk.auth.login("tess", GOOD, "10.0.0.1")


async def test_sessions_are_listed_and_ended_one_by_one(desk: Desk) -> None:
    first = await desk.auth.login("tess", GOOD, "10.0.0.1", "Fire\x1bfox")
    desk.clock.advance(60)
    second = await desk.auth.login("tess", GOOD, "10.0.0.2", "Chrome")
    mine = await desk.auth.login("sam", GOOD, "10.0.0.3")
    told = desk.account.sessions("tess", second)
    assert [(one.address, one.agent, one.current) for one in told] == [
        ("10.0.0.2", "Chrome", True),
        ("10.0.0.1", "Firefox", False),
    ]
    assert (told[0].begun_at - told[1].begun_at).total_seconds() == 60
    with pytest.raises(NotFound):  # somebody else's
        await desk.account.end_session("sam", told[1].id)
    await desk.account.end_session("tess", told[1].id)
    assert desk.auth.session(first) is None
    assert desk.auth.session(second) is not None
    assert desk.auth.session(mine) is not None


async def test_there_is_always_an_admin(desk: Desk) -> None:
    for change in (
        lambda: desk.operators.set_role("sam", "Guest", actor="sam"),
        lambda: desk.operators.remove("sam", actor="sam"),
    ):
        with pytest.raises(Conflict, match="only Admin"):
            await change()
    with pytest.raises(Conflict):
        await desk.operators.set_permissions("Admin", ["doors.see"], actor="sam")
    await desk.operators.set_role("tess", "Admin", actor="sam")
    await desk.operators.set_role("sam", "Guest", actor="tess")


async def test_a_role_can_be_edited_and_acts_at_once(desk: Desk) -> None:
    token = await desk.auth.login("tess", GOOD, "10.0.0.1")
    told = await desk.operators.set_permissions("teacher", ["doors.see"], actor="sam")
    assert told.permissions == ("doors.see",)
    session = desk.auth.session(token)
    assert session is not None
    assert session.permissions == {"doors.see"}
    desk.restart()
    assert desk.operators.roles()[0].name == "Admin"
    assert {one.name: one.permissions for one in desk.operators.roles()}["Teacher"] == (
        "doors.see",
    )
    with pytest.raises(InvalidInput, match=r"'doors\.opne' is no permission"):
        await desk.operators.set_permissions("Teacher", ["doors.opne"], actor="sam")


async def test_every_change_is_on_record_by_whom(desk: Desk) -> None:
    await desk.operators.set_role("tess", "Guest", actor="sam")
    await desk.operators.set_permissions("Guest", [], actor="sam")
    _, token = await desk.tokens.add("sam", "cron", ["doors.see"], 1, actor="sam")
    await desk.tokens.revoke(token.id, actor="sam")
    await desk.operators.remove("tess", actor="sam")
    assert desk.kinds()[2:] == [
        "operator.added",
        "operator.changed",
        "role.changed",
        "token.added",
        "token.revoked",
        "operator.removed",
    ]
    assert {row.actor for row in desk.rows.rows} == {"sam"}
    assert [row.kind for row in desk.told] == desk.kinds()


async def test_a_token_is_known_again_and_not_kept(desk: Desk) -> None:
    text, view = await desk.tokens.add("tess", "cron", ["doors.see"], 30, actor="tess")
    assert text.startswith("dw_")
    assert len(text) >= 3 + 43
    assert text.startswith(view.prefix)
    assert len(view.prefix) == 9
    [kept] = desk.store.kept_tokens.values()
    assert kept.digest == hashlib.sha256(text.encode()).digest()
    assert text not in repr(desk.store.kept_tokens) + repr(desk.rows.rows)
    for _ in range(2):
        holder = desk.tokens.find(text)
        assert holder is not None
        assert (holder.name, holder.permissions) == ("tess (cron)", {"doors.see"})
        desk.restart()
    assert desk.tokens.list("TESS")[0].used_at is not None
    assert desk.tokens.list("sam") == ()
    for other in ("", "dw_", text[:-1], text + "x", text.upper(), "dw_\ud800", "dw_é"):
        assert desk.tokens.find(other) is None


async def test_a_token_holds_a_part_of_what_its_owner_holds_now(desk: Desk) -> None:
    for scopes, word in ((["people.edit"], "does not hold"), ([], "no scope")):
        with pytest.raises(InvalidInput, match=word):
            await desk.tokens.add("tess", "cron", scopes, 30, actor="tess")
    with pytest.raises(InvalidInput, match="about opening doors"):
        await desk.tokens.add("tess", "cron", ["doors.see"], 30, unattended=True, actor="tess")
    scopes = ["doors.see", "doors.open"]
    text, _ = await desk.tokens.add("tess", "cron", scopes, 30, unattended=True, actor="tess")
    await desk.operators.set_role("tess", "Guest", actor="sam")
    holder = desk.tokens.find(text)
    assert holder is not None
    assert holder.permissions == {"doors.see"}
    assert holder.unattended


async def test_a_token_ends_by_time_by_hand_and_with_its_owner(desk: Desk) -> None:
    made = [
        await desk.tokens.add("tess", f"t{n}", ["doors.see"], n, actor="sam") for n in (1, 2, 3)
    ]
    desk.clock.advance(24 * 3600)
    assert desk.tokens.find(made[0][0]) is None
    with pytest.raises(NotFound):
        await desk.tokens.revoke(made[1][1].id, actor="sam", owner="sam")
    await desk.tokens.revoke(made[1][1].id, actor="tess", owner="tess")
    assert desk.tokens.find(made[1][0]) is None
    assert desk.tokens.find(made[2][0]) is not None
    await desk.operators.remove("tess", actor="sam")
    assert desk.tokens.find(made[2][0]) is None
    assert desk.tokens.list() == ()


@pytest.mark.parametrize(
    ("name", "days", "field"),
    [("", 1, "name"), ("a\x07b", 1, "name"), ("x", 0, "days"), ("x", 9999, "days")],
)
async def test_bad_input_names_its_field(desk: Desk, name: str, days: int, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await desk.tokens.add("tess", name, ["doors.see"], days, actor="tess")
    assert refused.value.field == field
