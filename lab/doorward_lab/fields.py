"""The fields of a request to the control socket."""

from typing import Any

from doorward_lab.errors import SiteError

_MAX_MS = 60_000
_type_names = {str: "a string", int: "a number", bool: "true or false"}


def field(request: dict[str, Any], name: str, kind: type[Any]) -> Any:
    """Return a field. Raises SiteError when it is missing, or of another kind."""
    value = request.get(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise SiteError(f"{name} is {value!r}; give {_type_names[kind]}")
    return value


def duration_ms(request: dict[str, Any], name: str, default: int) -> int:
    """Return a time in ms that may be left out. Raises SiteError."""
    value: int = field(request, name, int) if name in request else default
    if not 0 < value <= _MAX_MS:
        raise SiteError(f"{name} is {value}; give 1 to {_MAX_MS}")
    return value
