"""Which subscriptions a topic reaches: a tree of topic levels."""

from typing import Generic, TypeVar

Key = TypeVar("Key")


class _Node(Generic[Key]):
    __slots__ = ("children", "granted")

    def __init__(self) -> None:
        self.children: dict[str, _Node[Key]] = {}
        self.granted: dict[Key, int] = {}


class SubscriptionTree(Generic[Key]):
    """Filters of many subscribers, found by topic. Walks in loops: a filter may have 65,535 levels."""

    def __init__(self) -> None:
        """Start without a subscription."""
        self._root: _Node[Key] = _Node()

    def add(self, topic_filter: str, key: Key, qos: int) -> None:
        """Subscribe `key`; a second time replaces the QoS."""
        node = self._root
        for level in topic_filter.split("/"):
            child = node.children.get(level)
            if child is None:
                child = node.children[level] = _Node()
            node = child
        node.granted[key] = qos

    def remove(self, topic_filter: str, key: Key) -> None:
        """End a subscription and prune the branch it leaves bare; unknown ones are ignored."""
        path: list[tuple[_Node[Key], str]] = []
        node = self._root
        for level in topic_filter.split("/"):
            path.append((node, level))
            child = node.children.get(level)
            if child is None:
                return
            node = child
        node.granted.pop(key, None)
        while path and not node.granted and not node.children:
            node, level = path.pop()
            del node.children[level]

    def match(self, topic: str) -> dict[Key, int]:
        """Everybody who receives `topic`, once, with the highest QoS granted by any of their filters."""
        found: dict[Key, int] = {}
        reached = [self._root]
        wildcards = topic[:1] != "$"
        for level in topic.split("/"):
            following: list[_Node[Key]] = []
            for node in reached:
                children = node.children
                exact = children.get(level)
                if exact is not None:
                    following.append(exact)
                if wildcards:
                    any_one = children.get("+")
                    if any_one is not None:
                        following.append(any_one)
                    _collect(children.get("#"), found)
            wildcards = True
            reached = following
            if not reached:
                return found
        for node in reached:
            _collect(node, found)
            # "a/#" includes "a" itself.
            _collect(node.children.get("#"), found)
        return found


def _collect(node: _Node[Key] | None, found: dict[Key, int]) -> None:
    if node is None:
        return
    for key, qos in node.granted.items():
        if found.get(key, -1) < qos:
            found[key] = qos
