"""A chip that starts in the year 2000: which certificates it takes for good, on its own TLS and its own clock."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from firmware_copy import planted
from scripted_gateway import profile
from tls_witness import DAY, Issuer, Witness
from watching import until

from doorward_lab import rtc
from doorward_lab.board import Board
from doorward_lab.lab import Lab

CONNECT = b"\x00\x04MQTT\x04"
NOW = int(time.time())
HEAP_KIB = 144
LONG_AGO = datetime(1999, 12, 31, tzinfo=UTC) - datetime.now(UTC)


class Always(Issuer):
    """As the site's own authority: valid from before 2000 on."""

    def _builder(
        self, name: str, key: Any, since: timedelta = LONG_AGO, until: timedelta = DAY
    ) -> Any:
        return super()._builder(name, key, LONG_AGO if since == -DAY else since, until)


def secured(authority: Issuer, port: int, date: int | None) -> dict[str, Any]:
    return profile(port) | {"tls": authority.device("front")} | ({"date": date} if date else {})


async def heard(board: Board, witness: Witness) -> bool:
    """Whether it said CONNECT within three connections."""
    await until(lambda: witness.connections >= 3 or CONNECT in witness.said, board)
    return CONNECT in witness.said


@pytest.mark.parametrize(("date", "says"), [(None, False), (NOW, True)], ids=["undated", "dated"])
async def test_a_foreign_authority_is_of_use_only_to_a_board_that_has_a_date(
    date: int | None, says: bool, lab: Lab, tmp_path: Path
) -> None:
    authority = Issuer()
    server = authority.server(tmp_path / "server.pem")
    with Witness(authority.context(server)) as witness:
        installed = secured(authority, witness.port, date)
        board = await lab.start_board(installed, heap_kib=HEAP_KIB, boot_clock=rtc.BOOT)
        assert await heard(board, witness) is says
        if says:
            # It starts in 2000 again, and without anybody to tell it the date.
            witness.said = b""
            await board.kill()
            await board.power_on()
            await until(lambda: CONNECT in witness.said, board)


async def test_the_sites_own_authority_needs_no_date(lab: Lab, tmp_path: Path) -> None:
    authority = Always()
    with Witness(authority.context(authority.server(tmp_path / "server.pem"))) as witness:
        board = await lab.start_board(
            secured(authority, witness.port, None), heap_kib=HEAP_KIB, boot_clock=rtc.BOOT
        )
        assert await heard(board, witness)


@pytest.mark.parametrize("mutant", [False, True])
async def test_a_certificate_that_is_over_is_refused_by_who_knows_the_date(
    mutant: bool, lab: Lab, tmp_path: Path
) -> None:
    firmware = None
    if mutant:  # then it is the year 2000, and nothing is over
        firmware = planted(
            tmp_path, "doorward_node/dates.py", "    _forward(known)\n", "    pass\n"
        )
    authority = Always()
    over = authority.server(tmp_path / "over.pem", since=LONG_AGO, until=-10 * DAY)
    with Witness(authority.context(over)) as witness:
        board = await lab.start_board(
            secured(authority, witness.port, NOW),
            heap_kib=HEAP_KIB,
            boot_clock=rtc.BOOT,
            firmware=firmware,
        )
        assert await heard(board, witness) is mutant
