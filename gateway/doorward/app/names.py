"""What people may call people, doors, operators and tokens."""

from doorward.errors import InvalidInput

LONGEST = 80
LONGEST_SHORT = 64  # what is typed to sign in, or stands beside it


def clean_name(name: str, field: str, longest: int = LONGEST) -> str:
    """The name with single spaces. Raises InvalidInput for one that is empty, too long, or cannot be printed."""
    name = " ".join(name.split())
    if not 0 < len(name) <= longest:
        raise InvalidInput(f"{field}: give 1 to {longest} characters", field=field)
    if not name.isprintable():
        raise InvalidInput(f"{field}: leave out what cannot be printed", field=field)
    return name
