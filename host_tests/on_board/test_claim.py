# A board that waits for its approval: what it says, what it believes, and what it hands over.

import asyncio
import json

from one_door import KEY, Site
from scratch import folder

from doorward_core import gateway_messages, seal, topics
from doorward_node import claim as claim_module
from doorward_node import files
from doorward_node.claim import Claim

CODE = "00112233445566778899aabbccddeeff"
OWN = ("on_message", "will", [("doorward/devices/front/config", 1)])
CONFIG = {"claim": CODE, "base": "doorward", "board": "door-esp32"}


class Link:
    up = True

    def __init__(self):
        self.sent = []
        self.filters = []
        self.on_up = None

    def send(self, topic, payload, retain, qos):
        self.sent.append((topic, payload, retain, qos))

    async def run(self, on_up):
        self.on_up = on_up
        on_up()


class App:
    link = None


async def claiming():
    # (claim, link, app, what was handed over, the file that remembers)
    link, app, handed = Link(), App(), []
    mark = folder() + "/claimed"
    session = Site().session
    app.link = Claim(CONFIG, mark, session, link, app, OWN)
    task = asyncio.create_task(app.link.run(lambda: handed.append("up")))
    await asyncio.sleep_ms(20)
    task.cancel()
    return app.link, link, app, handed, mark


def answer(link, body=None, number=1, keys=None):
    # The gateway's answer to the newest announcement.
    keys = keys or seal.Keys("front", KEY)
    said = seal.open_sealed(keys, topics.REGISTER, link.sent[-1][1])
    boot = seal.parse_freshness(said.freshness)[1]
    word = seal.session_word(boot, number)
    return seal.seal(keys, topics.REGISTERED, word, body or gateway_messages.approved())


def hears(link, payload, retained=False):
    # True if that ended the connection.
    try:
        link.callback("doorward/discovery/response/front", payload, retained, False)
    except OSError:
        return True
    return False


async def test_it_announces_itself_and_listens_on_one_topic():
    _, link, _, _, _ = await claiming()
    (topic, payload, retain, qos) = link.sent[0]
    assert (topic, retain, qos) == ("doorward/discovery/register/front", False, 1)
    body = json.loads(seal.open_sealed(seal.Keys("front", KEY), topics.REGISTER, payload).body)
    said = gateway_messages.parse_announcement(json.dumps(body).encode())
    assert (said.device, said.board) == ("front", "door-esp32")
    assert body["claim"] == CODE
    assert link.filters == [("doorward/discovery/response/front", 0)]


async def test_for_the_app_it_is_a_link_that_is_down():
    claim, _, _, _, _ = await claiming()
    assert not claim.up
    try:
        claim.send("doorward/devices/front/access/request", b"", False, 1)
        raise AssertionError("it was sent")
    except OSError:
        pass


async def test_only_the_gateways_fresh_word_lets_it_go_on():
    _, link, app, handed, mark = await claiming()
    claim = app.link
    other = seal.Keys("front", bytes(32))
    word = seal.session_word(b"\1" * 8, 5)
    stale = seal.seal(seal.Keys("front", KEY), topics.REGISTERED, word, gateway_messages.approved())
    for payload, retained in (
        (b'{"status":"approved"}', False),
        (answer(link), True),
        (stale, False),
        (answer(link, b'{"status":"wait"}', 2), False),
        (answer(link, b"not json", 3), False),
    ):
        assert not hears(link, payload, retained)
    forged = seal.seal(other, topics.REGISTERED, word, gateway_messages.approved())
    assert not hears(link, forged)
    assert app.link is claim
    assert handed == []
    assert files.read(mark) is None


async def test_approved_it_hands_the_link_over_and_never_asks_again():
    claim_module.forget = lambda _name: None  # of this module there is but one in this process
    _, link, app, handed, mark = await claiming()
    assert hears(link, answer(link)), "the next connection is the door's own"
    assert app.link is link
    assert (link.callback, link.will, link.filters) == OWN
    assert handed == []
    link.on_up()
    assert handed == ["up"]
    assert files.read(mark) == CODE.encode()


async def test_approved_nothing_of_it_runs_on():
    claim_module.forget = lambda _name: None
    link, app = Link(), App()
    app.link = Claim(CONFIG, folder() + "/claimed", Site().session, link, app, OWN)
    task = asyncio.create_task(app.link.run(lambda: None))
    await asyncio.sleep_ms(20)
    assert not task.done()
    assert hears(link, answer(link))
    await asyncio.sleep_ms(20)
    assert task.done(), "its module would stay on the heap"
