"""What topic filters have to do with each other: one lies inside another, or shares a topic with it. Pure."""


def covers(granted: str, asked: str) -> bool:
    """True when every topic that `asked` (a topic or a filter) matches is matched by `granted` too."""
    if asked[:1] == "$" and granted[:1] in ("+", "#"):
        return False
    levels = granted.split("/")
    # One level more decides: a topic of 65,535 bytes may have as many, and is held against every rule.
    wanted = asked.split("/", len(levels))
    for index, level in enumerate(levels):
        if level == "#":
            return True
        if index >= len(wanted):
            return False
        if wanted[index] == "#":
            # Only at the top: elsewhere "#" includes the level above it.
            return index == 0 and levels == ["+", "#"]
        if level not in ("+", wanted[index]):
            return False
    return len(levels) == len(wanted)


def overlaps(one: str, other: str) -> bool:
    """True when there is a topic that both filters (or topics) match."""
    if {one[:1], other[:1]} in ({"$", "+"}, {"$", "#"}):
        return False
    shorter = min(one.count("/"), other.count("/")) + 1
    left, right = one.split("/", shorter), other.split("/", shorter)
    for mine, its in zip(left, right, strict=False):
        if "#" in (mine, its):
            return True
        if mine != its and "+" not in (mine, its):
            return False
    # "a/#" includes "a" itself.
    longer = left if len(left) > len(right) else right
    rest = longer[min(len(left), len(right)) :]
    return rest in ([], ["#"])
