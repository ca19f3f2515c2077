"""What people may call people and doors."""

from doorward.errors import InvalidInput

LONGEST = 80


def clean_name(name: str, field: str) -> str:
    """The name with single spaces. Raises InvalidInput for one that is empty, too long, or cannot be printed."""
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST:
        raise InvalidInput(f"{field}: give 1 to {LONGEST} characters", field=field)
    if not name.isprintable():
        raise InvalidInput(f"{field}: leave out what cannot be printed", field=field)
    return name
