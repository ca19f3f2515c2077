"""What the broker tells whoever runs it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Denial:
    """Somebody asked for what the policy does not grant; nothing was changed or delivered."""

    principal: str
    action: Literal["publish", "subscribe", "will", "connect"]
    topic: str  # its first 200 characters; empty for "connect"
    rule: str
    unsaid: int = 0  # how many of this principal came before it and were only counted
