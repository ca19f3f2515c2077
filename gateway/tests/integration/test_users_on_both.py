"""Users and rules on both brokers, changed as people change them, and measured by what arrives."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from school import ANOTHER, PASSWORD, REFUSED, ROOM, SCHOOL, School, do, heard, school_at
from site_support import BROKERS, broker_of, settings_for
from watching import until

from doorward_core import topics


@pytest.fixture(params=BROKERS)
async def school(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[School]:
    settings = settings_for(tmp_path / "site", request.param)
    async with broker_of(settings), school_at(settings) as made:
        await made.add("ada", "Admin")
        yield made


async def test_a_grant_and_a_revocation_act_on_a_live_connection_at_once(school: School) -> None:
    """The example of the old school project. Mutant: a change of rules is not told."""
    await school.add("teacher1", "Teacher")
    ada, teacher = await school.come("ada"), await school.come("teacher1")
    await do(ada.subscribe, "school/#")
    await do(teacher.subscribe, "users/teacher1/#", "school/#")
    assert await heard(school, ada, teacher, "teacher1", ROOM) == []
    await do(teacher.publish, ROOM, b"refused")
    begun = time.monotonic()
    await school.post("acl/grant", SCHOOL)
    assert teacher.connected, "a grant ends no connection"
    await do(teacher.subscribe, "school/#")
    assert await heard(school, ada, teacher, "teacher1", ROOM) == [ROOM]
    await do(teacher.publish, ROOM, b"welcome")
    await do(ada.until, lambda: (ROOM, b"welcome") in ada.inbox)
    assert time.monotonic() - begun < 5
    assert (ROOM, b"refused") not in ada.inbox
    verdict = await school.get("acl/explain", principal="teacher1", action="publish", topic=ROOM)
    assert verdict["why"] == "Allowed by `allow user:teacher1 publish+subscribe school/#`."

    await school.post("acl/revoke", SCHOOL)
    assert await heard(school, ada, teacher, "teacher1", ROOM) == []
    await do(teacher.publish, ROOM, b"late")
    await do(teacher.publish, "users/teacher1/x", b"barrier")
    await do(ada.publish, ROOM, b"own")
    await do(ada.until, lambda: (ROOM, b"own") in ada.inbox)
    assert (ROOM, b"late") not in ada.inbox
    assert teacher.connected


async def test_a_deny_beats_every_allow(school: School) -> None:
    await school.add("teacher1", "Teacher", "Admin")
    await school.post("acl/grant", SCHOOL | {"filter": "school/room2/#"})
    ada, teacher = await school.come("ada"), await school.come("teacher1")
    await do(teacher.subscribe, "users/teacher1/#", "school/room2/#", "school/room3/#")
    rooms = ("school/room2/a", "school/room2/b", "school/room3/a")
    assert await heard(school, ada, teacher, "teacher1", *rooms) == list(rooms)
    deny = {"subject": "role:Teacher", "filter": "school/room2/b", "effect": "deny"}
    await school.post("acl/grant", deny)
    # Where a part of a subscription is denied the broker inside ends all of it, Mosquitto the part.
    await do(teacher.subscribe, "school/room2/a")
    assert await heard(school, ada, teacher, "teacher1", *rooms) == [rooms[0], rooms[2]]
    await do(ada.subscribe, "school/#")
    for room in (rooms[1], rooms[2]):
        await do(teacher.publish, room, b"said")
    await do(ada.until, lambda: (rooms[2], b"said") in ada.inbox)
    assert (rooms[1], b"said") not in ada.inbox


MATRIX = {
    # role: (what it says to all, what it hears)
    "Admin": ("school/notices/x school/students/{u}/x school/students/z/x users/{u}/x users/z/x",)
    * 2,
    "Teacher": (
        "school/notices/x users/{u}/x",
        "school/notices/x school/students/{u}/x school/students/z/x users/{u}/x",
    ),
    "Student": (
        "school/students/{u}/x users/{u}/x",
        "school/notices/x school/students/{u}/x users/{u}/x",
    ),
    "User": ("users/{u}/x", "users/{u}/x"),
    "Guest": ("", "school/notices/x"),
}


async def test_each_role_may_do_what_it_says_and_nothing_else(school: School) -> None:
    """By delivery: %u is each one's own name. Mutant: %u is left to stand for any name."""
    ada = await school.come("ada")
    await do(ada.subscribe, "school/#", "users/#", "end/#")
    found = {}
    for role in MATRIX:
        name = role.lower()
        await school.add(name, role)
        await school.post("acl/grant", {"subject": f"user:{name}", "filter": f"end/{name}"})
        client = await school.come(name)
        assert client.answer == "Success"
        places = [place.format(u=name) for place in MATRIX["Admin"][0].split()]
        await do(client.subscribe, *places, f"end/{name}")
        for topic in places:
            await do(client.publish, topic, name.encode())
        await do(client.publish, f"end/{name}", b"said")
        await do(ada.until, lambda name=name: (f"end/{name}", b"said") in ada.inbox)
        said = [topic for topic, payload in ada.inbox if payload == name.encode()]
        for topic in places:
            await do(ada.publish, topic, b"ada")
        await do(ada.publish, f"end/{name}", b"heard")
        await do(client.until, lambda c=client, n=name: (f"end/{n}", b"heard") in c.inbox)
        hears = [topic for topic, payload in client.inbox if payload == b"ada"]
        found[role] = (" ".join(said), " ".join(hears))
    assert found == {
        role: tuple(side.format(u=role.lower()) for side in sides) for role, sides in MATRIX.items()
    }


async def test_roles_change_for_who_is_connected(school: School) -> None:
    await school.add("sam", "User")
    ada, sam = await school.come("ada"), await school.come("sam")
    await do(sam.subscribe, "users/sam/#", "school/notices/#")
    assert await heard(school, ada, sam, "sam", "school/notices/x") == []
    await school.post("users/sam/roles", {"roles": ["User", "Guest"]})
    await do(sam.subscribe, "school/notices/#")
    assert await heard(school, ada, sam, "sam", "school/notices/x") == ["school/notices/x"]
    await school.post("users/sam/roles", {"roles": ["User"]})
    assert await heard(school, ada, sam, "sam", "school/notices/x") == []
    assert sam.connected


async def test_a_password_that_was_replaced_and_a_user_that_was_removed_are_out(
    school: School,
) -> None:
    await school.add("sam", "User")
    ada, sam = await school.come("ada"), await school.come("sam", clean=False)
    await do(sam.subscribe, "users/sam/#")
    await school.post("users/sam/password", {"password": ANOTHER})
    await until(lambda: not sam.connected)
    assert (await school.come("sam")).answer in REFUSED
    again = await school.come("sam", ANOTHER, clean=False)
    assert (again.answer, again.session_present) == ("Success", True)
    await school.post("acl/grant", {"subject": "user:sam", "filter": "own/#"})
    await school.post("users/sam/remove")
    await until(lambda: not again.connected)
    for password in (PASSWORD, ANOTHER):
        assert (await school.come("sam", password)).answer in REFUSED
    await do(ada.publish, "users/sam/x", b"to who was here")
    # Whoever has that name next begins anew: without the rules, and without what waited.
    await school.add("sam", "User")
    heir = await school.come("sam", clean=False)
    assert (heir.answer, heir.session_present) == ("Success", False)
    await do(heir.subscribe, "users/sam/#", "own/#")
    assert await heard(school, ada, heir, "sam", "own/x") == []
    assert ada.connected


async def test_no_user_says_what_the_gateway_alone_says(school: School) -> None:
    """Nor changes who may do what, at Mosquitto: not even with a rule that lets it."""
    await school.add("eve", "Admin")
    ada, eve = await school.come("ada"), await school.come("eve")
    for where in ("$CONTROL/#", "$CONTROL/dynamic-security/v1", "doorward/#"):
        await school.post("acl/grant", {"subject": "user:eve", "filter": where})
    await do(ada.subscribe, "doorward/#", "users/#")
    await do(eve.subscribe, "$CONTROL/#", "$CONTROL/dynamic-security/v1/response")
    order = topics.device_topic(topics.BASE, "front", "commands/unlock")
    await do(eve.publish, order, b"open")
    await do(eve.publish, topics.device_topic(topics.BASE, "front", topics.OFFLINE), b"allowed")
    grab = (
        b'{"commands":[{"command":"addClientRole","username":"eve","rolename":"doorward/gateway"}]}'
    )
    await do(eve.publish, "$CONTROL/dynamic-security/v1", grab)
    await do(eve.publish, order, b"open again")
    await do(eve.publish, "users/eve/end", b"")
    await do(ada.until, lambda: ("users/eve/end", b"") in ada.inbox)
    assert [payload for _, payload in ada.inbox] == [b"allowed", b""]
    assert eve.inbox == []


@pytest.mark.parametrize("revoked", [False, True])
async def test_what_waits_and_what_is_retained_reaches_only_who_may_read_it(
    school: School, revoked: bool
) -> None:
    await school.add("teacher1", "Teacher")
    await school.post("acl/grant", SCHOOL)
    ada, teacher = await school.come("ada"), await school.come("teacher1", clean=False)
    await do(teacher.subscribe, "users/teacher1/#", "school/#")
    await do(teacher.close)
    await do(ada.publish, ROOM, b"waits")
    await do(ada.publish, "school/board", b"stays", retain=True)
    await do(ada.publish, "users/teacher1/own", b"waits")
    if revoked:
        await school.post("acl/revoke", SCHOOL)
    back = await school.come("teacher1", clean=False)
    await do(back.subscribe, "school/board", "school/#")
    await do(ada.publish, "users/teacher1/end", b"x")
    await do(back.until, lambda: ("users/teacher1/end", b"x") in back.inbox)
    own = {("users/teacher1/own", b"waits"), ("users/teacher1/end", b"x")}
    lesson = {(ROOM, b"waits"), ("school/board", b"stays")}
    assert set(back.inbox) == (own if revoked else own | lesson)


async def test_a_will_says_only_what_its_user_may_say(school: School) -> None:
    await school.add("sam", "User")
    ada = await school.come("ada")
    await do(ada.subscribe, "users/#", "school/#")
    for topic in ("school/will", "users/sam/will"):
        dying = await school.come("sam", will=(topic, b"gone"))
        await do(dying.drop)
        await asyncio.sleep(0.2)
    await do(ada.until, lambda: ("users/sam/will", b"gone") in ada.inbox)
    assert ada.inbox == [("users/sam/will", b"gone")]


async def test_names_of_boards_and_users_do_not_meet(school: School) -> None:
    await school.site.admission.admit("front", bytes(32), waiting=True)
    for name in ("front", "FRONT", "gateway", "ada"):
        status, message = await school.refused(
            "POST", "users", {"name": name, "password": PASSWORD, "roles": []}
        )
        assert (status, "choose another" in message) == (409, True)
    with pytest.raises(Exception, match="is a user of the broker"):
        school.site.admission.check_name("Ada")
    explained = await school.get(
        "acl/explain", principal="front", action="publish", topic="doorward/x"
    )
    assert explained["allowed"] is False
