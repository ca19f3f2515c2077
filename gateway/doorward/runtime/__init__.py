"""Where everything is wired together: the only code that knows all the concrete parts."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doorward.runtime.gateway import Gateway

__all__ = ["Gateway"]


def __getattr__(name: str) -> object:
    """Load what is asked for and no more: a broker that runs alone does without a gateway's memory."""
    if name != "Gateway":
        raise AttributeError(name)
    from doorward.runtime.gateway import Gateway  # noqa: PLC0415

    return Gateway
