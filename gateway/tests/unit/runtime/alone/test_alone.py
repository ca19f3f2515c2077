"""The broker alone: what its first half hands to its second."""

import asyncio
import contextlib
import dataclasses
import os
import ssl
import time
from pathlib import Path

import pytest

from doorward.errors import StartupError
from doorward.runtime.alone import preparing, renewing, serving
from doorward.runtime.alone.plan import Plan, hand_over, take
from doorward.runtime.servers import tls


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    made = preparing.prepare(tmp_path / "d")
    os.close(made.lock)
    return made


def test_a_plan_comes_as_it_was_made_once(plan: Plan) -> None:
    much = dataclasses.replace(plan, revoked=[1 << 150] * 10_000, limits={"stalled": 0.5})
    descriptor = hand_over(much)
    assert not os.get_inheritable(descriptor), "no other program gets it by accident"
    assert take(descriptor) == much
    with pytest.raises(StartupError, match=f"no plan at descriptor {descriptor}"):
        take(descriptor)


@pytest.mark.parametrize("held", [b"", b"no plan", b"[1]", b"3", b'{"directory": "d"}', b"\xff"])
def test_what_is_no_plan_is_said_to_be_none(held: bytes) -> None:
    descriptor = os.memfd_create("plan")
    os.write(descriptor, held)
    os.lseek(descriptor, 0, os.SEEK_SET)
    with pytest.raises(StartupError, match="no plan"):
        take(descriptor)


def test_descriptors_that_are_no_files_are_let_be() -> None:
    reads, writes = os.pipe()
    for number in (reads, -1, 99_999, 1 << 70):
        with pytest.raises(StartupError, match="no plan"):
            take(number)
    os.write(writes, b"still open")
    assert os.read(reads, 99) == b"still open"
    os.close(reads)
    os.close(writes)


def test_a_plan_does_not_show_its_key(plan: Plan) -> None:
    assert bytes.fromhex(plan.key) == (plan.files / "keys" / "database.key").read_bytes()
    assert plan.key not in repr(plan)


async def test_another_certificate_is_shown_when_it_is_time(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_LOOK_S", 0.01)
    context, chain = tls.for_users(plan.authority.encode()), Path(plan.chain)
    tls.load_chain(context, chain)
    loaded: list[ssl.SSLContext] = []
    monkeypatch.setattr(tls, "load_chain", lambda context, _path: loaded.append(context))
    failing = [OSError("no room")]

    def renewed(directory: Path) -> float:
        if failing:
            raise failing.pop()
        chain.unlink()
        return real(directory)

    real = renewing.renew
    monkeypatch.setattr(renewing, "renew", renewed)
    before = chain.read_bytes()
    keeping = asyncio.create_task(serving._keep_certified(plan, context))
    await asyncio.sleep(0.1)
    assert failing, "it is not time yet"
    assert plan.renew_at - time.time() > 86400
    keeping.cancel()
    due = dataclasses.replace(plan, renew_at=time.time() - 1)
    keeping = asyncio.create_task(serving._keep_certified(due, context))
    async with asyncio.timeout(20):
        while not loaded:  # noqa: ASYNC110 - a context tells nobody
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert loaded == [context], "once: the next one is due in a year"
    assert chain.read_bytes() != before
    keeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeping
