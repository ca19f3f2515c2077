"""What a board of each role has, and what it must have."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from doorward.boards.schema.profile import Profile
from doorward.boards.schema.readers import Matrix

# role → one of each group must be there; and what else may be.
NEEDED: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType(
    {
        "door": (("strike",), ("reader", "keypad")),
        "vault": (("padlock",), ("reader", "keypad")),
        "motion": (("pir",),),
        "lamp": (("lamp",),),
        "combined": (("strike", "padlock"), ("reader", "keypad"), ("pir", "lamp")),
    }
)
_ALLOWED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "door": frozenset({"contact", "rex", "tamper", "buzzer", "led"}),
        "vault": frozenset({"contact", "tamper", "buzzer", "led", "battery"}),
        "motion": frozenset({"tamper", "battery", "led"}),
        "lamp": frozenset({"led", "pir", "button", "tamper"}),
        "combined": frozenset({"contact", "rex", "tamper", "buzzer", "led", "battery", "button"}),
    }
)


def role_findings(profile: Profile) -> Iterator[tuple[str, str, str]]:
    """(field, why, remedy) of every part that is missing or out of place."""
    there = profile.parts()
    needed = NEEDED[profile.role]
    for group in needed:
        if not any(name in there for name in group):
            names = " or ".join(group)
            yield group[0], f"a board of the role {profile.role} needs it", f"name a {names}"
    fitting = _ALLOWED[profile.role].union(*needed)
    for name in there:
        if name not in fitting:
            why = f"a board of the role {profile.role} has no use for it"
            yield name, why, "leave it out, or choose another role"
    if isinstance(profile.keypad, Matrix):
        cells = len(profile.keypad.rows) * len(profile.keypad.cols)
        if len(profile.keypad.keys) != cells:
            why = f"{len(profile.keypad.keys)} keys do not fill {cells} crossings"
            yield "keypad.keys", why, "name one key a crossing, a row after the other"
