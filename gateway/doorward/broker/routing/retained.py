"""The last message of every topic that asked for it, found by topic filter."""

from collections import Counter
from collections.abc import Iterator

from doorward.broker.ports import KeptRetained

_LEVEL_COSTS = 256  # bytes in memory, measured with CPython 3.11


class _Node:
    __slots__ = ("children", "message")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.message: KeptRetained | None = None


def cost(topic: str, payload: bytes) -> int:
    """Bytes that a retained message may take: who chooses deep topics fills memory with nothing in it."""
    return len(payload) + _LEVEL_COSTS * (topic.count("/") + 1)


class RetainedMessages:
    """Retained messages in a tree of topic levels, so that one new subscriber never costs a look at all of them."""

    def __init__(self) -> None:
        """Start with none."""
        self._root = _Node()
        self._count = 0
        self.size = 0  # by `cost`
        self._by_owner: Counter[str] = Counter()

    def __len__(self) -> int:
        """How many topics have one."""
        return self._count

    def put(self, topic: str, message: KeptRetained) -> None:
        """Replace the retained message of `topic`."""
        node = self._root
        for level in topic.split("/"):
            child = node.children.get(level)
            if child is None:
                child = node.children[level] = _Node()
            node = child
        self._count += node.message is None
        self._count_size(topic, node.message, -1)
        self._count_size(topic, message, 1)
        node.message = message

    def get(self, topic: str) -> KeptRetained | None:
        """The retained message of `topic`."""
        node: _Node | None = self._root
        for level in topic.split("/"):
            if node is None:
                return None
            node = node.children.get(level)
        return node.message if node is not None else None

    def clear(self, topic: str) -> bool:
        """Forget the retained message of `topic`; False when there was none."""
        path: list[tuple[_Node, str]] = []
        node = self._root
        for level in topic.split("/"):
            path.append((node, level))
            child = node.children.get(level)
            if child is None:
                return False
            node = child
        if node.message is None:
            return False
        self._count_size(topic, node.message, -1)
        node.message = None
        self._count -= 1
        _prune(path)
        return True

    def size_of(self, owner: str) -> int:
        """The part of `size` that this one left."""
        return self._by_owner[owner]

    def _count_size(self, topic: str, message: KeptRetained | None, sign: int) -> None:
        if message is not None:
            size = sign * cost(topic, message.payload)
            self.size += size
            self._by_owner[message.owner] += size
            if not self._by_owner[message.owner]:
                del self._by_owner[message.owner]

    def match(self, topic_filter: str) -> Iterator[tuple[str, KeptRetained]]:
        """Every retained message that a new subscription to `topic_filter` receives."""
        levels = topic_filter.split("/")
        # (node, its topic, how many levels of the filter led there)
        pending: list[tuple[_Node, str, int]] = [(self._root, "", 0)]
        while pending:
            node, topic, depth = pending.pop()
            rest = levels[depth] if depth < len(levels) else None
            if node.message is not None and (rest is None or rest == "#"):
                yield topic, node.message
            if rest is None:
                continue
            if rest not in ("+", "#"):
                child = node.children.get(rest)
                if child is not None:
                    pending.append((child, _join(topic, rest, depth), depth + 1))
                continue
            # "#" stays where it is and takes every level below.
            following = depth + 1 if rest == "+" else depth
            for level, child in node.children.items():
                if depth or node is not self._root or level[:1] != "$":
                    pending.append((child, _join(topic, level, node is not self._root), following))


def _prune(path: list[tuple[_Node, str]]) -> None:
    """Cut the branch that holds nothing any more, from its tip."""
    for parent, level in reversed(path):
        child = parent.children[level]
        if child.message is not None or child.children:
            return
        del parent.children[level]


def _join(topic: str, level: str, deep: object) -> str:
    return f"{topic}/{level}" if deep else level
