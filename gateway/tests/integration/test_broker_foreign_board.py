"""A board with a good certificate of its own, at what another board is told: rules, firmware, keys. By delivery."""

import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from broker_support import GATEWAY, Client, topic
from secure_stage import Stage, staged

from doorward.broker import Denial, Policy
from doorward_core import mqtt, topic_tree, topics

TOLD = [topic("front", leaf) for leaf in topic_tree.DOWN]
# Spellings that somebody may take for the same topic, and filters around it.
ODD = [
    "doorward/devices/front/commands/firmware/",
    "/doorward/devices/front/commands/firmware",
    "doorward//devices/front/commands/firmware",
    "doorward/devices/back/../front/commands/firmware",
    "doorward/devices/Front/commands/firmware",
    "doorward/devices/front%2Fcommands/firmware",
    "$share/all/doorward/devices/front/commands/firmware",
]
FILTERS = [*TOLD, "doorward/devices/#", "doorward/devices/+/commands/firmware", "#", "+/#", *ODD]


@contextlib.asynccontextmanager
async def stage_of_three(folder: Path) -> AsyncIterator[tuple[Stage, Client, Client]]:
    """The board that is attacked, listening to all that it is told, and the one that was stolen."""
    async with staged(folder) as stage:
        front = await Client.open(stage.port, stage.certified("front"))
        await front.connect("front")
        assert set(await front.subscribe(*TOLD)) == {1}
        thief = await Client.open(stage.port, stage.certified("back"))
        await thief.connect("back")
        try:
            yield stage, front, thief
        finally:
            await front.drop()
            await thief.drop()


async def speaks(thief: Client) -> None:
    """It says something on all of these, in every way there is; most of it twice as long as a board reads."""
    die = random.Random(7)
    for where in (*TOLD, *ODD):
        for qos in (0, 1, 2):
            for retain in (False, True):
                await thief.publish(
                    where, die.randbytes(die.randrange(1, 2048)), qos, retain=retain
                )


async def leaves_wills(stage: Stage) -> None:
    """Another connection of its own, whose last word is for the other board, is not let in."""
    certified = stage.certified("back")
    for where in TOLD:
        code = await stage.answer(certified, "back", will=(where, b"w", False, 1))
        assert code == mqtt.NOT_AUTHORISED, where


async def test_what_a_stolen_board_says_reaches_no_other(tmp_path: Path) -> None:
    async with stage_of_three(tmp_path) as (stage, front, thief):
        await speaks(thief)
        await leaves_wills(stage)
        assert await front.messages() == []
        told = {one.topic for one in stage.site.denials if isinstance(one, Denial)}
        assert told.issuperset(TOLD[:3]), "it is told, until there is too much of it"
        async with stage.site.client(GATEWAY) as gateway:
            await gateway.subscribe("doorward/#")
            assert [one for one in await gateway.messages() if "/front/" in one.topic] == []
            await gateway.publish(topic("front", topics.FIRMWARE), b"offer")
        assert [one.payload for one in await front.messages()] == [b"offer"], "positive control"


async def test_what_another_board_is_told_comes_to_nobody_else(tmp_path: Path) -> None:
    async with stage_of_three(tmp_path) as (stage, front, thief):
        for one in FILTERS:
            assert list(await thief.subscribe(one)) == [mqtt.REFUSED], one
        async with stage.site.client(GATEWAY) as gateway:
            for where in TOLD:
                await gateway.publish(where, b"for the front")
        assert len(await front.messages()) == len(TOLD), "positive control"
        assert await thief.messages() == []


async def test_without_the_rules_it_would_reach_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Policy, "refuses_publish", lambda *_args, **_more: None)
    async with stage_of_three(tmp_path) as (_, front, thief):
        await speaks(thief)
        assert {one.topic for one in await front.messages()} == set(TOLD)
