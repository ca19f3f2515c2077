"""A vault on today's gateway: adopted like any board, its log stored, nothing of it refused, released from afar.

The witness is its servo, as the virtual hardware saw it.
"""

import asyncio
from typing import Any

from site_support import api_of, is_current
from virtual_vault import HEAP_KIB, turns
from watching import until

from doorward.runtime.demo.gateway import VirtualSite
from doorward_lab import Board, Lab

VAULT = "strongbox"


async def adopted(site: VirtualSite, lab: Lab) -> Board:
    """As an operator does it, from the profile that a maker would wire."""
    async with api_of(site) as api:
        given = (await api.post("/devices", json={"id": VAULT, "board": "vault-esp32"})).json()
        profile = {**given["config"], "tls": given["tls"]}
        board = await lab.start_board(profile, heap_kib=HEAP_KIB + 16)
        await until(lambda: site.cases.devices.get(VAULT).state == "announced", board)
        assert (await api.post(f"/devices/{VAULT}/approve", json={"door": "Strongbox"})).is_success
    await until(lambda: is_current(site, VAULT), board)
    return board


async def rows(site: VirtualSite) -> list[dict[str, Any]]:
    async with api_of(site) as api:
        found: list[dict[str, Any]] = (await api.get("/audit", params={"limit": 500})).json()
    return [row for row in found if row["door_id"] == VAULT]


async def test_six_wrong_codes_lock_a_vault_and_the_page_releases_it(
    site: VirtualSite, lab: Lab
) -> None:
    board = await adopted(site, lab)
    await until(lambda: site.cases.states.get(VAULT).locked is True, board)

    async def kinds() -> list[str]:
        return [row["kind"] for row in await rows(site)]

    for number in range(6):
        await board.type_keys(f"00{number:02}#", hold_ms=80)

    async def recorded(kind: str) -> None:
        async with asyncio.timeout(10):
            while kind not in await kinds():  # noqa: ASYNC110 - the API has no event for it
                await asyncio.sleep(0.05)

    await recorded("lockout.entered")
    assert (await kinds()).count("access.decision") == 6
    assert turns(board) == ["locked"]

    async with api_of(site) as api:
        assert (await api.post(f"/doors/{VAULT}/open")).is_success
    await until(lambda: turns(board) == ["locked", "unlocked", "locked"], board)
    await until(lambda: site.cases.states.get(VAULT).locked is True, board)
    await recorded("lockout.cleared")
    opened = next(row for row in await rows(site) if row["kind"] == "lock.changed")
    assert opened["actor"]
    assert opened["why"] == "Opened from afar."
    board.set_switch("tamper", is_on=True)
    await recorded("tamper")
    # Its words, its metrics and its log: all of it was understood, or at least let pass.
    assert site.cases.devices.get(VAULT).rejected == 0
    assert "unreadable" not in await kinds()
    assert len(board.starts) == 1
