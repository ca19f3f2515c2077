"""Ten thousand random pairs of a filter and a topic: a message reaches whom it reaches with Mosquitto."""

import asyncio
import random

from doorward.broker.routing.subscriptions import SubscriptionTree
from doorward_core import mqtt, topic_tree
from truth.peer import Peer
from truth.two_brokers import two_brokers

MANY = 100  # filters, and as many topics
WORDS = ("", "", "a", "a", "b", "c", "ä", "日本", "🚪", " ", ".", "a b", "$", "$x", "$SYS", "A")
MALFORMED = ("a#", "#/a", "a/#/b", "+a", "a/b+", "++", "a/+#", "##")


def some_topic(dice: random.Random) -> str:
    while True:
        levels = [dice.choice(WORDS) for _ in range(dice.choice((1, 2, 2, 3, 3, 4, 6)))]
        topic = "/".join(levels)
        # An empty topic is none, and below $SYS brokers speak themselves.
        if topic and not topic.startswith("$SYS"):
            return topic


def some_filter(dice: random.Random, topics: list[str]) -> str:
    """Half of them made from a topic that will be published, half of nothing."""
    levels = (dice.choice(topics) if dice.random() < 0.6 else some_topic(dice)).split("/")
    levels = ["+" if dice.random() < 0.3 else level for level in levels]
    if dice.random() < 0.3:
        levels[dice.randrange(len(levels)) :] = ["#"]
    elif dice.random() < 0.1:
        levels.append(dice.choice(("#", "", "+")))
    return "/".join(levels) or "#"


class Round:
    """Filters and topics, and who got what on one broker."""

    def __init__(self, dice: random.Random) -> None:
        topics: set[str] = set()
        while len(topics) < MANY:
            topics.add(some_topic(dice))
        self.topics = sorted(topics)
        self.filters = [some_filter(dice, self.topics) for _ in range(MANY)]

    def expected(self) -> dict[tuple[int, str], bool]:
        """What the definition says, in the words of the core."""
        return {
            (number, topic): topic_tree.matches(topic_filter, topic)
            for number, topic_filter in enumerate(self.filters)
            for topic in self.topics
        }

    async def live(self, port: int) -> dict[tuple[int, str], bool]:
        """Subscribe, then publish."""
        peers = await self._connected(port)
        await self._subscribed(peers)
        await self._published(port, retain=False)
        return await self._got(peers)

    async def retained(self, port: int) -> dict[tuple[int, str], bool]:
        """Publish retained, then subscribe."""
        await self._published(port, retain=True)
        peers = await self._connected(port)
        await self._subscribed(peers)
        return await self._got(peers)

    async def _connected(self, port: int) -> list[Peer]:
        peers = [Peer(f"c{number}") for number in range(MANY)]
        await asyncio.gather(*(peer.connect(port, clean=True) for peer in peers))
        return peers

    async def _subscribed(self, peers: list[Peer]) -> None:
        for peer, topic_filter in zip(peers, self.filters, strict=True):
            assert await peer.subscribe((topic_filter, 0)) == b"\0", topic_filter

    async def _published(self, port: int, *, retain: bool) -> None:
        publisher = Peer("publisher")
        await publisher.connect(port, clean=True)
        for topic in self.topics:
            publisher.publish(topic, b"ours", 1, retain=retain)
        await publisher.settle()
        await publisher.disconnect()

    async def _got(self, peers: list[Peer]) -> dict[tuple[int, str], bool]:
        await asyncio.gather(*(peer.settle() for peer in peers))
        found = dict.fromkeys(self.expected(), False)
        for number, peer in enumerate(peers):
            for one in peer.take():
                if one.payload == b"ours":  # Mosquitto tells about itself below $SYS
                    assert not found[number, one.topic], "twice"
                    found[number, one.topic] = True
            await peer.disconnect()
        return found

    def differences(self, ours, theirs) -> list[str]:
        return [
            f"filter {self.filters[number]!r}, topic {topic!r}: {ours[number, topic]} and {theirs[number, topic]}"
            for number, topic in ours
            if ours[number, topic] != theirs[number, topic]
        ]


CLIENTS = ("publisher", *(f"c{number}" for number in range(MANY)))


async def test_ten_thousand_pairs_match_as_they_do_with_mosquitto(tmp_path, dice, seed):
    some = Round(dice)
    async with two_brokers(tmp_path, CLIENTS) as ports:
        for way in (some.live, some.retained):
            ours, theirs = await way(ports["doorward"]), await way(ports["mosquitto"])
            assert len(ours) == MANY * MANY
            assert sum(ours.values()) > 300, "enough of them match"
            assert some.differences(ours, theirs) == [], f"seed {seed}, doorward and mosquitto"
            assert some.differences(ours, some.expected()) == [], f"seed {seed}, told and defined"


async def test_a_tree_that_lets_wildcards_reach_dollar_topics_is_caught(
    tmp_path, dice, monkeypatch
):
    match = SubscriptionTree.match
    monkeypatch.setattr(
        SubscriptionTree, "match", lambda tree, topic: match(tree, topic) | match(tree, "·" + topic)
    )
    some = Round(dice)
    async with two_brokers(tmp_path, CLIENTS) as ports:
        ours, theirs = await some.live(ports["doorward"]), await some.live(ports["mosquitto"])
        assert some.differences(ours, theirs)


async def test_malformed_filters_close_the_connection_on_both(tmp_path):
    async with two_brokers(tmp_path, ("c0",)) as ports:
        for port in ports.values():
            for topic_filter in (*MALFORMED, ""):
                peer = Peer("c0")
                assert await peer.connect(port, clean=True) == (False, mqtt.ACCEPTED)
                peer.write(mqtt.subscribe(1, [("good", 0), (topic_filter, 0)]))
                await peer.ended()
