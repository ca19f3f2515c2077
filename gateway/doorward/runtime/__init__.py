"""Where everything is wired together: the only code that knows all the concrete parts."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doorward.runtime.gateway import Gateway
    from doorward.runtime.main import demo, up

__all__ = ["Gateway", "demo", "up"]

_PLACES = {
    "Gateway": "doorward.runtime.gateway",
    "demo": "doorward.runtime.main",
    "up": "doorward.runtime.main",
}


def __getattr__(name: str) -> object:
    """Load what is asked for and no more: a broker that runs alone does without a gateway's memory."""
    if name not in _PLACES:
        raise AttributeError(name)
    return getattr(import_module(_PLACES[name]), name)
