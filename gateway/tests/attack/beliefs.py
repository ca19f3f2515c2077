"""Attacks that would have the gateway believe what is not so: of a lock, of a dead board, of a log."""

import asyncio

from attack.site import Site
from attack.steps import expect, let_through, release
from doorward_core import topic_tree, topics


async def old_state(site: Site) -> None:
    """What a board said of its lock a while ago is not what it says now."""
    await site.board("front")
    await site.tap("one")
    said = [said for said in site.wire.kept if said.suffix == topics.REPORTED]
    for one in said:
        site.wire.deliver(one)
        expect(site.cases.states.get("front").locked is True, "an old state was believed")


async def silence(site: Site) -> None:
    """The board is dead. Nothing that was ever said, on whatever leaf, makes it look alive."""
    board = await site.board("front")
    await release(site)
    await board.kill()
    await site.until(lambda: not site.cases.states.get("front").online)
    for said in list(site.wire.kept):
        for leaf in topic_tree.UP:
            site.hand_in("front", leaf, said.payload)
            expect(not site.cases.states.get("front").online, "a dead board was made to look alive")


async def former_life(site: Site) -> None:
    """The gateway has started again and knows no boot, the board is dead: all that it once said is played back."""
    board = await site.board("front")
    await site.tap("one")
    said = [said for said in site.wire.kept if said.up and said.device == "front"]
    await board.kill()
    await site.until(lambda: not site.cases.states.get("front").online)
    for retained in (True, False):
        await site.stop_gateway()
        await site.start_gateway()
        for one in said:
            kept = retained and one.suffix in (topics.ONLINE, topics.REPORTED)
            site.hand_in("front", one.suffix, one.payload, retained=kept)
            view = site.cases.states.get("front")
            expect(not view.online and view.locked is None, "a dead board came back to life")
    await board.power_on()
    await site.until(lambda: site.is_current("front"))


async def deleted_event(site: Site) -> None:
    """One entry of the log never arrives: nothing after it counts, and the board keeps it all."""
    await site.board("front")
    await site.tap("one")
    await site.until(lambda: _held(site) == max(seq for _, _, seq in site.log))
    gone = _held(site) + 2
    place = f".{gone} ".encode()
    site.wire.passes = lambda said: said.suffix != topics.EVENTS or place not in said.payload
    await site.tap("two")
    await site.until(lambda: max(seq for _, _, seq in site.log) > gone + 1)
    await asyncio.sleep(0.3)
    await site.settle()
    expect(_held(site) == gone - 1, "an event was lost, and the log went on")
    let_through(site)
    site.wire.cut("front")
    await site.until(lambda: _held(site) == max(seq for _, _, seq in site.log))


def _held(site: Site) -> int:
    head = site.cases.events.head("front")
    return head.seq if head else 0


async def old_log(site: Site) -> None:
    """A log that is over comes again from its beginning: the present one goes on."""
    script = site.scripts["back"]
    site.hand_in("back", topics.ONLINE, script.hello())
    old = [script.event("door.open", {}) for _ in range(3)]
    for payload in old:
        site.hand_in("back", topics.EVENTS, payload)
    script.epoch, script.seq, script.digest = "11223344", 0, bytes(16)
    site.hand_in("back", topics.EVENTS, script.event("boot", {}))
    await _written(site)
    for payload in old:
        site.hand_in("back", topics.EVENTS, payload)
        await _written(site)
    site.hand_in("back", topics.EVENTS, script.event("door.open", {}))
    await _written(site)
    kept = await site.stored("back", script.epoch, 2)
    expect(kept is not None, "an old log took the place of the present one")


async def _written(site: Site) -> None:
    """Return when the store has nothing left to write."""
    await site.settle()
    await site.store.put_site((), (), ())
    await asyncio.sleep(0)
    await site.settle()
