# A lamp, and what else there is of button and motion sensor.

from doorward_node import forget
from doorward_node.roles.motion import build, lock

__all__ = ("build", "lock")

forget("roles.motion")
