"""Killed between an answer and its record, again and again: no opening is lost in the audit, and none is doubled."""

import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from stage.board import ScriptedBoard
from stage.house import MEMBER, furnish
from stage.online import OnlineBoard
from stage.secrets import Enrolment
from victim import Victim

from doorward.database import load_or_create, open_database

TIMES = 20


@pytest.fixture
async def enrolment(tmp_path: Path) -> Enrolment:
    return await furnish(tmp_path)


@pytest.fixture
async def victim(tmp_path: Path, enrolment: Enrolment) -> AsyncIterator[Victim]:
    victim = Victim(tmp_path)
    yield victim
    await victim.clean_up()


async def test_no_opening_is_lost_or_doubled(victim: Victim, enrolment: Enrolment) -> None:
    script = ScriptedBoard(enrolment)
    opened: list[str] = []
    journal: list[bytes] = []
    for _ in range(TIMES):
        await victim.start()
        opened.append(await _answered_and_killed(victim, enrolment, script, journal))
    await victim.start()
    script.boot = os.urandom(8)
    async with OnlineBoard(enrolment, victim.port_base + 2, script) as board:
        await _upload(board, journal)
    assert await victim.end(signal.SIGTERM) == 0
    assert sorted(_decisions(victim.directory)) == sorted(opened)
    assert len(set(opened)) == TIMES


async def _answered_and_killed(
    victim: Victim, enrolment: Enrolment, script: ScriptedBoard, journal: list[bytes]
) -> str:
    """Upload what is left from before, tap, and kill the gateway the moment its answer is there."""
    script.boot = os.urandom(8)
    async with OnlineBoard(enrolment, victim.port_base + 2, script) as board:
        await _upload(board, journal)
        nonce = os.urandom(16)
        assert json.loads(await board.tap(MEMBER, nonce))["access_granted"] is True
        await victim.end(signal.SIGKILL)
        journal.append(script.decision(MEMBER, nonce, granted=True))
        return nonce.hex()[:16]


async def _upload(board: OnlineBoard, journal: list[bytes]) -> None:
    while journal:
        await board.upload(journal[0])
        del journal[0]


def _decisions(directory: Path) -> list[str]:
    key = load_or_create(directory / "keys" / "database.key")
    engine = open_database(directory / "gateway.db", key)
    with engine.connect() as connection:
        query = "select request from audit where kind = 'access.decision' and granted"
        found = list(connection.scalars(text(query)))
    engine.dispose()
    return found


async def test_the_installation_is_whole_afterwards(victim: Victim) -> None:
    await victim.start()
    assert await victim.end(signal.SIGKILL) == -signal.SIGKILL
    await victim.start()
    assert await victim.end(signal.SIGINT) == 0
