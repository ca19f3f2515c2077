"""Users and rules on both brokers, changed as people change them, and measured by what arrives."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from mosquitto_clients import Client
from site_support import BROKERS, EMBEDDED, MOSQUITTO, api_of, broker_of, running, settings_for
from watching import until

from doorward.adapters.mosquitto.dynsec import talk
from doorward.config import Settings
from doorward.runtime import Gateway, mosquitto
from doorward.runtime.mosquitto_side import MosquittoSide
from doorward_core import topics

PASSWORD, ANOTHER = "correct horse battery", "another horse battery"
SCHOOL = {"subject": "user:teacher1", "filter": "school/#"}
ROOM = "school/room1/lesson"
REFUSED = ("Not authorized", "Bad user name or password")  # Mosquitto's word, and ours


class School:
    """A gateway with users, over its API."""

    def __init__(self, site: Gateway, api: httpx.AsyncClient) -> None:
        self.site = site
        self._api = api
        self.clients: list[Client] = []

    async def get(self, path: str, **asked: str) -> Any:
        answer = await self._api.get(f"/broker/{path}", params=asked)
        assert answer.is_success, answer.text
        return answer.json()

    async def post(self, path: str, order: dict[str, Any] | None = None) -> Any:
        answer = await self._api.post(f"/broker/{path}", json=order)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, order: Any = None) -> tuple[int, str]:
        answer = await self._api.request(method, f"/broker/{path}", json=order)
        assert answer.is_error, answer.text
        return answer.status_code, answer.json()["error"]["message"]

    async def add(self, name: str, *roles: str) -> None:
        await self.post("users", {"name": name, "password": PASSWORD, "roles": roles})

    async def come(self, name: str, password: str = PASSWORD, **how: Any) -> Client:
        """A user's client, whether or not it was let in."""

        def connect() -> Client:
            return Client(self.site.plain_port, name, user=name, secret=password, **how)

        client = await asyncio.to_thread(connect)
        self.clients.append(client)
        return client


async def do(step: Any, *words: Any, **how: Any) -> Any:
    return await asyncio.to_thread(step, *words, **how)


@asynccontextmanager
async def school_at(settings: Settings) -> AsyncIterator[School]:
    async with running(Gateway(settings)) as site, api_of(site) as api:
        school = School(site, api)
        try:
            yield school
        finally:
            for client in school.clients:
                await do(client.close)


@pytest.fixture(params=BROKERS)
async def school(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[School]:
    settings = settings_for(tmp_path / "site", request.param)
    async with broker_of(settings), school_at(settings) as made:
        await made.add("ada", "Admin")
        yield made


async def heard(school: School, ada: Client, who: Client, name: str, *said: str) -> list[str]:
    """Which of these topics reach `who` when Ada publishes there; the last is its own, and always does."""
    who.inbox.clear()
    for topic in (*said, f"users/{name}/end"):
        await do(ada.publish, topic, b"x")
    await do(who.until, lambda: (f"users/{name}/end", b"x") in who.inbox)
    return [topic for topic, _ in who.inbox[:-1]]


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


# --- what concerns Mosquitto alone --------------------------------------------------------------------


@asynccontextmanager
async def at_mosquitto(directory: Path) -> AsyncIterator[School]:
    settings = settings_for(directory, MOSQUITTO)
    async with broker_of(settings), school_at(settings) as made:
        yield made


async def users(school: School) -> dict[str, tuple[Any, bool]]:
    """Name -> connections, and whether it has to be given a password."""
    listed = await school.get("users")
    return {one["name"]: (one["connections"], one["needs_password"]) for one in listed}


async def test_users_go_along_when_the_broker_is_switched(tmp_path: Path) -> None:
    """Their rules do, and their passwords back to the broker inside; to Mosquitto each has to be given once."""
    inside = settings_for(tmp_path / "site", EMBEDDED)
    async with school_at(inside) as school:
        await school.add("ada", "Admin")
        await school.add("sam", "User")
        await school.post("acl/grant", {"subject": "user:sam", "filter": "own/#"})
        assert await users(school) == {"ada": (0, False), "sam": (0, False)}
    outside = settings_for(tmp_path / "site", MOSQUITTO)
    async with broker_of(outside):
        async with school_at(outside) as school:
            assert await users(school) == {"ada": (None, True), "sam": (None, True)}
            synced = await school.post("mosquitto/sync")
            assert (synced["changed"], synced["need_password"]) == ([], ["ada", "sam"])
            (told,) = [one for one in school.site.side.looks() if "password" in one().detail]
            assert "2 users need a password" in told().detail
            for password in (PASSWORD, ""):
                assert (await school.come("sam", password)).answer in REFUSED
            for name in ("ada", "sam"):
                await school.post(f"users/{name}/password", {"password": ANOTHER})
            assert await users(school) == {"ada": (None, False), "sam": (None, False)}
            ada, sam = await school.come("ada", ANOTHER), await school.come("sam", ANOTHER)
            await do(sam.subscribe, "users/sam/#", "own/#")
            assert await heard(school, ada, sam, "sam", "own/x", "x") == ["own/x"]
            kept = b"".join(path.read_bytes() for path in mosquitto.places_of(outside).kept)
            assert ANOTHER.encode() not in kept
        async with school_at(outside) as school:
            assert await users(school) == {"ada": (None, False), "sam": (None, False)}
            assert (await school.come("sam", ANOTHER)).answer == "Success"
        async with school_at(inside) as school:
            assert (await school.come("sam", PASSWORD)).answer in REFUSED
            assert (await school.come("sam", ANOTHER)).answer == "Success"
            await school.post("users/sam/password", {"password": PASSWORD})
            await school.post("users/ada/remove")
        # Mosquitto's are those of before: one is gone by now, the other has an old password.
        async with school_at(outside) as school:
            assert await users(school) == {"sam": (None, True)}
            for name, password in (("sam", ANOTHER), ("sam", PASSWORD), ("ada", ANOTHER)):
                assert (await school.come(name, password)).answer in REFUSED


async def test_what_is_changed_while_mosquitto_is_away_acts_when_it_is_back(tmp_path: Path) -> None:
    async with at_mosquitto(tmp_path / "site") as school:
        settings = school.site.settings
        for name in ("ada", "sam", "eve"):
            await school.add(name, "User", "Admin")
        ada, sam = await school.come("ada"), await school.come("sam", clean=False)
        await do(sam.subscribe, "users/sam/#", "own/#")
        await school.post("acl/grant", {"subject": "user:sam", "filter": "own/#"})
        await do(mosquitto.stop, settings)
        rule = {"subject": "user:sam", "filter": "own/#", "effect": "deny"}
        for path, order in (
            ("acl/grant", rule),
            ("users/eve/remove", None),
            ("users/ada/password", {"password": ANOTHER}),
        ):
            status, message = await school.refused("POST", path, order)
            assert (status, "it is kept, but Mosquitto was not told" in message) == (503, True)
        assert "given again" in message
        new = {"name": "tom", "password": PASSWORD, "roles": []}
        assert (await school.refused("POST", "users", new))[0] == 503
        assert set(await users(school)) == {"ada", "sam"}, "nobody new where nobody can be told"
        await until(lambda: not school.site.link.connected)
        await do(mosquitto.start, settings)
        await until(lambda: school.site.link.connected)
        await school.post("mosquitto/sync")
        assert (await school.come("eve")).answer in REFUSED
        assert (await school.come("ada")).answer in REFUSED
        assert (await users(school))["ada"] == (None, True)
        await school.post("users/ada/password", {"password": ANOTHER})
        ada, sam = await school.come("ada", ANOTHER), await school.come("sam", clean=False)
        assert sam.session_present
        assert await heard(school, ada, sam, "sam", "own/x") == []


async def test_a_mosquitto_that_is_set_up_again_is_told_who_there_is_and_no_password(
    tmp_path: Path,
) -> None:
    settings = settings_for(tmp_path / "site", MOSQUITTO)
    async with broker_of(settings):
        async with school_at(settings) as school:
            await school.add("sam", "User")
            assert (await school.come("sam")).answer == "Success"
        await do(mosquitto.stop, settings)
        await mosquitto.set_up(settings, again=True)
        await do(mosquitto.start, settings)
        async with school_at(settings) as school:
            assert await users(school) == {"sam": (None, True)}
            assert (await school.come("sam")).answer in REFUSED
            await school.post("users/sam/password", {"password": PASSWORD})
            assert (await school.come("sam")).answer == "Success"


async def test_accounts_that_others_made_are_not_taken(tmp_path: Path) -> None:
    async with at_mosquitto(tmp_path / "site") as school:
        side = school.site.side
        assert isinstance(side, MosquittoSide)

        def theirs() -> None:
            with talk(side._keeper._port, side._keeper._secret) as control:
                them = {"command": "createClient", "username": "them", "password": PASSWORD}
                control.command(them)

        await do(theirs)
        order = {"name": "them", "password": ANOTHER, "roles": []}
        status, message = await school.refused("POST", "users", order)
        assert (status, "somebody made an account them on Mosquitto" in message) == (409, True)
        assert (await school.come("them")).answer == "Success"


async def test_a_name_takes_no_rights_of_the_account_that_says_who_may_do_what(
    tmp_path: Path,
) -> None:
    async with at_mosquitto(tmp_path / "site") as school:
        for name in ("control", "account"):
            await school.add(name, "User")
            assert (await school.come(name)).answer == "Success"
        assert (await school.post("mosquitto/sync"))["changed"] == []


async def test_users_come_over_websocket_too_and_one_at_a_time(tmp_path: Path) -> None:
    async with at_mosquitto(tmp_path / "site") as school:
        await school.add("sam", "User")
        first = await school.come("sam")

        def over_websocket() -> Client:
            return Client(
                school.site.settings.mqtt.websocket_port,
                "a-name-of-its-own",
                user="sam",
                secret=PASSWORD,
                tls=True,
                websocket=True,
                authority=school.site.signer,
            )

        second = await do(over_websocket)
        school.clients.append(second)
        assert second.answer == "Success"
        await until(lambda: not first.connected)


async def test_a_rule_for_many_is_told_in_one_go(tmp_path: Path) -> None:
    async with at_mosquitto(tmp_path / "site") as school:
        side = school.site.side
        assert isinstance(side, MosquittoSide)
        for number in range(200):
            side.rules.acl.add_user(f"user{number}", "x", ["User"])
        await school.add("sam", "User", "Admin")
        await school.add("eve", "User")
        sam, eve = await school.come("sam"), await school.come("eve")
        begun = time.monotonic()
        await school.post("acl/grant", {"subject": "role:User", "filter": "all/#"})
        assert time.monotonic() - begun < 5
        await do(eve.subscribe, "users/eve/#", "all/#")
        assert await heard(school, sam, eve, "eve", "all/x", "none/x") == ["all/x"]
        assert (await school.post("mosquitto/sync"))["changed"] == []


async def test_the_log_is_said_to_be_mosquittos(tmp_path: Path) -> None:
    async with at_mosquitto(tmp_path / "site") as school:
        await school.add("sam", "User")
        for path in ("log", "log/stream"):
            status, message = await school.refused("GET", path)
            assert (status, "doorward broker mosquitto logs" in message) == (503, True)
        assert (await school.get("figures"))["numbers"]["users"] == 1
