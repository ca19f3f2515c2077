"""Users and rules at Mosquitto alone: switched to and from, away and back, set up again, beside others' accounts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mosquitto_clients import Client
from school import ANOTHER, PASSWORD, REFUSED, School, do, heard, school_at
from site_support import broker_of, settings_for
from watching import until

from doorward.adapters.mosquitto.dynsec import Talk, talk
from doorward.adapters.mosquitto.grants import Command
from doorward.config import EMBEDDED, MOSQUITTO
from doorward.runtime.mosquitto import setup as mosquitto
from doorward.runtime.mosquitto.side import MosquittoSide


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


async def test_a_rule_for_many_is_told_in_one_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    do_batch = Talk._do

    def counted(control: Talk, batch: list[Command]) -> list[Command]:
        asked.append(len(batch))
        return do_batch(control, batch)

    monkeypatch.setattr(Talk, "_do", counted)
    async with at_mosquitto(tmp_path / "site") as school:
        side = school.site.side
        assert isinstance(side, MosquittoSide)
        for number in range(200):
            side.rules.acl.add_user(f"user{number}", "x", ["User"])
        await school.add("sam", "User", "Admin")
        await school.add("eve", "User")
        sam, eve = await school.come("sam"), await school.come("eve")
        asked.clear()
        await school.post("acl/grant", {"subject": "role:User", "filter": "all/#"})
        assert 0 < len(asked) < 20, asked
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
