"""A real board whose log lies in a flash partition of its own, and whose power goes while it writes there."""

from pathlib import Path

from attack.site import CARDS, Site

from doorward.domain import audit


def held(site: Site) -> int:
    head = site.cases.events.head("front")
    return head.seq if head else 0


async def test_no_event_is_lost_whenever_the_power_goes(tmp_path: Path, cache: Path) -> None:
    async with Site(tmp_path / "site", cache) as site:
        board = await site.lab.start_board(site.profile("front"), log_kib=16)
        site.boards["front"] = board
        await site.until(lambda: site.is_current("front"))
        for operations, torn in ((0, True), (1, False), (2, True)):
            before = len(board.starts)
            board.cut_at_flash(operations, torn=torn)
            # The door opens, and what it writes of it does not come to its end.
            board.present(CARDS["one"])
            assert await board.wait_cut(10)
            board.remove()
            await board.power_on()
            assert len(board.starts) == before + 1
            await site.until(lambda: site.is_current("front"))
            await site.tap("one")
            await site.until(lambda: held(site) == site.newest_of("front"))
        rows = await site.rows()
        assert not [row for row in rows if row.kind in (audit.TAMPER, audit.LOST, audit.LOG_GAP)]
        assert "doorward_node.ring" in await board.modules()
        assert "doorward_node.segments" not in await board.modules()
