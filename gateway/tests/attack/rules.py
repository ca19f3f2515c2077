"""Attacks on the copy of who may pass that a board holds: what is in force is whole, and what was taken back stays so.

The witness is the relay, while nobody answers the board: then it goes by its copy alone.
"""

import asyncio
import hashlib
import struct
from collections.abc import Iterator
from datetime import date

from attack.firmware import NO_NUMBERS
from attack.openings import GIVE_UP_S
from attack.site import CARDS, Site
from attack.steps import expect, flood, let_through, question, sealed
from attack.wire import Said
from doorward.domain import audit, updates
from doorward.domain.audit import AuditRow
from doorward.firmware.bundle import Bundle
from doorward_core import gateway_cache, seal, topics
from doorward_core.messages import encode

_MEMBERS = 60
_LITERAL = 0xFFFFFFFF
_UNTIL = 18  # where the last day stands in a record of doorward_core.records
_HEAP = 4096
_PATIENCE_S = 60.0


async def _crowd(site: Site) -> None:
    """So many members that a change goes over as what has changed, and the whole in several pieces."""
    for number in range(_MEMBERS):
        name, uid = f"member {number}", b"\x04" + number.to_bytes(6, "big")
        await site.store.add_person(name, ("Front",), AuditRow(0, "person.added", audit.OPERATOR))
        await site.store.add_card(uid, name, AuditRow(0, "card.added", audit.OPERATOR))
    await site.stop_gateway()
    await site.start_gateway()
    await site.cases.people.add("stranger", ["Front"], actor="test")
    await site.cases.people.add_card(CARDS["stranger"], "stranger", actor="test")
    await site.cases.people.set_dates("stranger", None, date(2020, 1, 1), actor="test")
    await site.board("front")


async def _alone(site: Site, card: str) -> bool:
    """Whether the door opens for a card while the gateway's answers do not come."""
    passes, before = site.wire.passes, site.opened()
    await question(site, card)
    site.wire.passes = passes
    await asyncio.sleep(GIVE_UP_S)
    site.boards["front"].remove()
    opened = site.opened() > before
    if opened:
        await site.walk_through()
    return opened


def _no_rules(said: Said) -> bool:
    return said.suffix != topics.CACHE


async def _revoked(site: Site) -> tuple[int, int]:
    """A card is taken back, and the board waits for what has changed: (version it has, version it is to have)."""
    view = site.cases.states.get("front")
    base = view.policy_version
    assert base is not None
    site.wire.passes = _no_rules
    # By a date: the new copy is as long as the old one, and differs in one record.
    await site.cases.people.set_dates("two", None, date(2020, 1, 1), actor="test")
    await site.until(lambda: bool(site.wire.take_withheld(topics.CACHE)))
    wanted = site.cases.states.get("front").policy_wanted
    assert wanted is not None
    return base, wanted


async def odd_rules(site: Site) -> None:
    """Under the board's own seal: a copy with a true head and end that is none, and pieces that make no sense."""
    await _crowd(site)
    assert await _alone(site, "two"), "the positive control: the board decides by itself"
    assert not await _alone(site, "stranger"), "his time is over"
    base, wanted = await _revoked(site)
    file = bytearray(_file(site))
    at = file.index(site.signer.tags("front", CARDS["stranger"])[0])
    file[at + _UNTIL : at + _UNTIL + 2] = b"\xff\xff"  # no end
    await _give(site, base, wanted, struct.pack(">II", _LITERAL, len(file)) + file)
    expect(not await _alone(site, "stranger"), "a copy that is not the gateway's is in force")
    # It wants the whole now.
    await flood(site, _sealed(site, wanted, _odd_pieces(0, wanted)), _HEAP)
    await _current(site)
    # And what has changed, once more.
    site.wire.passes = _no_rules
    await site.cases.people.set_dates("stranger", None, None, actor="test")
    await site.until(lambda: bool(site.wire.take_withheld(topics.CACHE)))
    view = site.cases.states.get("front")
    base, wanted = view.policy_version or 0, view.policy_wanted or 0
    await flood(site, _sealed(site, wanted, _odd_pieces(base, wanted)), _HEAP)
    await _current(site)
    await _whole(site)


def _file(site: Site) -> bytes:
    return site.cases.cache._caches["front"].file


async def _give(site: Site, base: int, makes: int, steps: bytes) -> None:
    """What has changed, piece by piece, until the board has made of it what it can."""
    delta = _delta(base, makes, steps)
    for offset in range(0, len(delta), gateway_cache.CHUNK_SIZE):
        piece = gateway_cache.cache_chunk(makes, offset, delta, base)
        site.wire.deliver(sealed(site, topics.CACHE, makes, piece))
        await site.wire.drained("front")
        await asyncio.sleep(0.3)  # each is written in a turn of its own
    await asyncio.sleep(0.5)


async def _current(site: Site) -> None:
    let_through(site)
    site.wire.cut("front")
    await site.until(lambda: "front" not in site.wire.lines)
    await site.until(lambda: site.is_current("front"), _PATIENCE_S)


def _sealed(site: Site, wanted: int, bodies: Iterator[bytes]) -> Iterator[Said]:
    return (sealed(site, topics.CACHE, wanted, body) for body in bodies)


async def _whole(site: Site) -> None:
    """What is in force is sound, as a start finds that checks every byte of it, and says what it should."""
    site.wire.passes = _no_rules
    board = site.boards["front"]
    await board.kill()
    await board.power_on()
    await site.until(lambda: site.is_current("front"), _PATIENCE_S)
    assert await _alone(site, "one"), "the positive control: its copy is in force"
    expect(not await _alone(site, "two"), "a card that was taken back passes")


def _delta(base: int, makes: int, steps: bytes, tags: bytes = b"") -> bytes:
    digest = hashlib.sha256(tags + steps).digest()[:16]
    head = struct.pack(">4sIIII16s", b"DWD1", base, makes, len(tags) // 12, len(steps), digest)
    return head + tags + steps


def _odd_pieces(base: int, wanted: int) -> Iterator[bytes]:
    """base 0: of the whole, as of something that has changed since version 0 there is nothing."""
    good: dict[str, object] = {"version": wanted, "offset": 0, "total": 36}
    if base:
        good["from"] = base
    for name in good:
        for value in (*NO_NUMBERS, 1 << 53):
            yield encode({**good, name: value, "data": "AAAA" if name != "offset" else ""})
    for value in NO_NUMBERS:
        yield encode({**good, "from": base or 7, "data": value})
    for offset in (0, 1, 383, 384, 1 << 31):
        yield encode({**good, "offset": offset, "total": 1 << 50, "data": "A" * 512})
    yield from (b"[]", b"{", b"[" * 300, b"null", b"\xff\xfe", b"{}")


async def new_key_midway(site: Site) -> None:
    """A board gets a new key while it fetches its rules, and while it fetches a firmware: nothing of it is lost."""
    await _crowd(site)
    board = site.boards["front"]
    await _revoked(site)
    bundle = Bundle("0.9.0", 0, {"doorward_node/a.mpy": bytes(range(256)) * 6})
    signed = await site.cases.shelf.sign(bundle, actor="test")
    await site.cases.shelf.add(signed.pack(), actor="test")
    pieces = 0

    def passes(said: Said) -> bool:
        nonlocal pieces
        pieces += said.suffix == topics.FIRMWARE and b'"data"' in said.payload
        return _no_rules(said) and (pieces < 3 or said.suffix != topics.FIRMWARE)

    site.wire.passes = passes
    await site.cases.updates.begin(["front"], bundle.version, actor="test")
    await site.until(lambda: pieces >= 3, _PATIENCE_S)
    assert await site.cases.rekeying.rekey("front", "test") == 2
    await site.until(lambda: len(board.starts) == 2, _PATIENCE_S)
    await site.until(lambda: site.cases.states.get("front").online and _epoch(site) == 2)
    site.wire.passes = lambda said: said.suffix not in (topics.CACHE, topics.FIRMWARE)
    expect(await _alone(site, "one"), "with its new key the board has forgotten its members")
    let_through(site)
    site.wire.cut("front")
    await site.until(lambda: _state(site) == updates.ROLLED_BACK, _PATIENCE_S)
    await site.until(lambda: site.is_current("front"), _PATIENCE_S)
    await _whole(site)


def _epoch(site: Site) -> int:
    """Of the key that the board has used last."""
    said = [said for said in site.wire.kept if said.up and said.device == "front"]
    return seal.split(said[-1].payload).epoch


def _state(site: Site) -> str:
    found = site.cases.updates.of("front")
    return found.state if found else ""
