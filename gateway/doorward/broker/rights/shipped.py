"""The rules that need nobody's say: what a board, the gateway and every user may do, by the topic tree of the site."""

from doorward.broker.rights.rules import API, DEVICE, GATEWAY, ROLE, USERS, WAITING, Rule
from doorward_core import topic_tree, topics

# What a lock obeys, and what else the gateway alone says to a board. It is sealed, so that a board would not believe a
# user; that it cannot even be said keeps the boards' limits and logs free of it.
_SAID_BY_THE_GATEWAY = tuple(leaf for leaf in topic_tree.DOWN if not leaf.startswith("commands/"))


def built_in(base: str) -> tuple[Rule, ...]:
    """The rules that cannot be revoked, for the topics below `base`."""

    def may(subject: str, leaf: str, *, publish: bool) -> Rule:
        where = topics.device_topic(base, "%u", leaf)
        return Rule(subject, "allow", publish, not publish, where, built_in=True)

    def never(where: str) -> Rule:
        return Rule(USERS, "deny", True, False, where, built_in=True)

    return (
        Rule(GATEWAY, "allow", True, True, base + "/#", built_in=True),
        *(may(WAITING, leaf, publish=True) for leaf in topic_tree.WAITING_UP),
        *(may(WAITING, leaf, publish=False) for leaf in topic_tree.WAITING_DOWN),
        *(may(DEVICE, leaf, publish=True) for leaf in topic_tree.UP),
        *(may(DEVICE, leaf, publish=False) for leaf in topic_tree.DOWN),
        # Who may use the gateway's API for this is the gateway's to say; what users never may, it may not either.
        Rule(API, "allow", True, True, "#", built_in=True),
        Rule(API, "allow", False, True, "$SYS/#", built_in=True),
        never(topics.device_topic(base, "+", "commands/#")),
        *(never(topics.device_topic(base, "+", leaf)) for leaf in _SAID_BY_THE_GATEWAY),
        never("$SYS/#"),
        # Where Mosquitto is the broker, it is told there who may do what.
        Rule(USERS, "deny", True, True, "$CONTROL/#", built_in=True),
    )


def reserved(base: str) -> tuple[str, ...]:
    """The trees that mean something to boards, old ones included, and to the broker itself."""
    return (base + "/#", "vault/#", "door/#", "iot/#", "$SYS/#", "$CONTROL/#")


ROLES = ("Admin", "Teacher", "Student", "User", "Guest")


def _may(role: str, where: str, *, publish: bool = False, subscribe: bool = False) -> Rule:
    return Rule(ROLE + role, "allow", publish, subscribe, where)


SHIPPED = (
    _may("Admin", "#", publish=True, subscribe=True),
    _may("Admin", "$SYS/#", subscribe=True),
    _may("Teacher", "school/notices/#", publish=True, subscribe=True),
    _may("Teacher", "school/students/#", subscribe=True),
    _may("Teacher", "users/%u/#", publish=True, subscribe=True),
    _may("Student", "school/notices/#", subscribe=True),
    _may("Student", "school/students/%u/#", publish=True, subscribe=True),
    _may("Student", "users/%u/#", publish=True, subscribe=True),
    _may("User", "users/%u/#", publish=True, subscribe=True),
    _may("Guest", "school/notices/#", subscribe=True),
)
"""What the roles may do in a new broker.db, where it can be edited."""
