"""Attacks that would have a board run what this site has not signed, or not any more, or keep it from its door.

The witness is how often the board started, for what it takes up it starts; and the relay, while it is attacked.
"""

import asyncio
import random
import time
from collections.abc import Iterator

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from attack.site import Site
from attack.steps import expect, flood, let_through, sealed
from attack.wire import Said
from doorward.domain import updates
from doorward.firmware.bundle import Bundle
from doorward_core import gateway_updates, seal, topics
from doorward_core.messages import encode
from doorward_lab import Board

# No program: it is installed, fails its trial, and the board goes back to the one that it had.
_BUNDLE = Bundle("0.9.0", 0, {"doorward_node/a.mpy": bytes(range(256)) * 6})
_HEAP = 4096  # bytes by which two looks at a board at rest may differ: tables grow in steps
_PATIENCE_S = 60.0
_LEISURE = 4  # so many times as long as it took for a true offer, a board is watched
_ROUNDS = 25
NO_NUMBERS: tuple[object, ...] = (
    *(-1, 1 << 31, (1 << 53) + 1, 10**30, 0.5, 1e300, True, None),
    *("1", "", [], {}, [[[0]]]),
)
_NO_TEXTS: tuple[object, ...] = (*NO_NUMBERS, "AAA", "====", "a b", "\u0000", "é" * 200)


def _state(site: Site) -> str:
    found = site.cases.updates.of("front")
    return found.state if found else ""


async def _add(site: Site) -> None:
    """A bundle that this site has signed."""
    signed = await site.cases.shelf.sign(_BUNDLE, actor="test")
    await site.cases.shelf.add(signed.pack(), actor="test")


async def _begin(site: Site) -> None:
    await site.cases.updates.begin(["front"], _BUNDLE.version, actor="test")


def _sent(site: Site) -> list[Said]:
    return [said for said in site.wire.kept if said.suffix == topics.FIRMWARE and not said.up]


def _number(said: Said) -> int:
    return int(seal.split(said.payload).freshness[2:])


async def _tried(site: Site, board: Board) -> float:
    """The positive control: what this site signed is installed and tried. How many s until it was asked for."""
    await _add(site)
    begun = time.monotonic()
    await _begin(site)
    await site.until(lambda: _asked(site) > 0, _PATIENCE_S)
    took = time.monotonic() - begun
    await site.until(lambda: _state(site) == updates.ROLLED_BACK, _PATIENCE_S)
    await site.until(lambda: site.is_current("front"))
    assert len(board.starts) > 2, "it was started, and so was the one before it"
    return took


def _asked(site: Site) -> int:
    """How often the board has asked for a piece of firmware."""
    said = [said for said in site.wire.kept if said.up and said.suffix == topics.COMMANDS_ACK]
    return sum(b'"want":"firmware"' in one.payload for one in said)


async def foreign_firmware(site: Site) -> None:
    """What another key has signed, and offers that make no sense, under the board's own seal."""
    board = await site.board("front")
    await _tried(site, board)
    starts = len(board.starts)
    other = await asyncio.to_thread(rsa.generate_private_key, 65537, 3072)
    forged = _BUNDLE.signed(other.sign(_BUNDLE.manifest, padding.PKCS1v15(), hashes.SHA256()))

    async def take(_version: str | None, *, actor: str) -> Bundle:
        assert actor
        return await asyncio.sleep(0, forged)

    site.cases.shelf.take = take  # type: ignore[method-assign]
    await _begin(site)
    await site.until(
        lambda: _state(site) == updates.REFUSED or len(board.starts) > starts, _PATIENCE_S
    )
    expect(len(board.starts) == starts, "what another key has signed was installed")
    newest = max(map(_number, _sent(site)))
    await flood(
        site,
        (
            sealed(site, topics.FIRMWARE, newest + at, body)
            for at, body in enumerate(_odd_offers(forged), 1)
        ),
        _HEAP,
    )
    expect(len(board.starts) == starts, "an offer that makes no sense was taken up")


def _odd_offers(forged: Bundle) -> Iterator[bytes]:
    good: dict[str, object] = {
        "version": "1.0.0",
        "size": 300,
        "digest": "00" * 32,
        "signature": forged.signature.hex(),
        "until": 1 << 40,
    }
    for name in good:
        for value in _NO_TEXTS:
            yield encode({**good, name: value})
        yield encode({key: value for key, value in good.items() if key != name})
    yield from (b"[]", b"{", b"[" * 300, b"null", b'{"data":', b"\xff\xfe", b"{}")


async def old_firmware(site: Site) -> None:
    """An order that is over comes again, offer and pieces, and with it one for another board."""
    board = await site.board("front")
    took = await _tried(site, board)
    starts, asked, old = len(board.starts), _asked(site), _sent(site)
    assert sum(b'"signature"' in said.payload for said in old), "the offer is among them"
    foreign = [
        said._replace(
            payload=site.signer.seal(
                "back",
                said.suffix,
                f"c:{_number(said) + 1}",
                seal.split(said.payload).body,
            )
        )
        for said in old
    ]
    await flood(site, [*foreign, *old, *old], _HEAP)
    until = time.monotonic() + _LEISURE * took + 2
    while time.monotonic() < until and _asked(site) == asked:
        site.wire.deliver(old[0])
        await asyncio.sleep(0.1)
    # The gateway does not answer any more. Here is what it said before.
    for said in old[1:] if _asked(site) > asked else ():
        site.wire.deliver(said)
        await asyncio.sleep(0.1)
    expect(_asked(site) == asked, "an order that is over was taken up again")
    expect(len(board.starts) == starts, "an order that is over was installed again")


async def odd_pieces(site: Site) -> None:
    """While a board fetches: pieces that overlap, of other versions, from nowhere. It gets what was signed."""
    board = await site.board("front")
    await _add(site)
    pieces = 0

    def passes(said: Said) -> bool:
        nonlocal pieces
        pieces += said.suffix == topics.FIRMWARE and b'"data"' in said.payload
        return pieces == 0 or said.suffix != topics.FIRMWARE

    site.wire.passes = passes
    await _begin(site)
    await site.until(lambda: pieces > 0, _PATIENCE_S)
    true = site.wire.take_withheld(topics.FIRMWARE)[-1]
    number = _number(true)
    await flood(
        site,
        (
            sealed(site, topics.FIRMWARE, at, body)
            for at, body in _odd_pieces(number, random.Random(7))
        ),
        None,  # it is at work: see foreign_firmware for what is left of that
    )
    let_through(site)
    site.wire.deliver(true)
    await site.until(lambda: _state(site) in updates.BAD | {updates.INSTALLED}, _PATIENCE_S)
    await site.until(lambda: len(board.starts) > 1 or _state(site) == updates.REFUSED, _PATIENCE_S)
    expect(_state(site) != updates.REFUSED, "a piece from somewhere became part of a firmware")


def _odd_pieces(number: int, die: random.Random) -> Iterator[tuple[int, bytes]]:
    """(counter, body) each; no data in them is what stands at its offset."""
    data = die.randbytes(gateway_updates.PIECE_SIZE)
    for offset in (1, gateway_updates.PIECE_SIZE, 5000, 1 << 31, 1 << 53):
        yield number, gateway_updates.piece(number, offset, 1 << 40, data)
    for other in (1, number - 1, number + 1, number + 1000):
        if other != number:
            yield other, gateway_updates.piece(other, 0, 2000, data)
    good: dict[str, object] = {"version": number, "offset": 0, "total": 2000}
    for value in NO_NUMBERS:
        yield number, encode({**good, "offset": value, "data": "AAAA"})
        if not isinstance(value, str):
            yield number, encode({**good, "data": value})
    for _ in range(60):
        offset = die.randrange(1, 1 << die.randrange(1, 50))
        yield number, gateway_updates.piece(number, offset, die.randrange(1 << 40), data)
