"""Where everything is wired together: the only code that knows all the concrete parts."""

from doorward.runtime.gateway import Gateway
from doorward.runtime.main import demo, up

__all__ = ["Gateway", "demo", "up"]
