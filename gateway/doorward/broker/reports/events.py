"""What the broker tells whoever runs it."""

from dataclasses import dataclass
from typing import Literal

Asked = Literal["publish", "subscribe", "will", "connect"]


@dataclass(frozen=True, slots=True)
class Denial:
    """Somebody asked for what the policy does not grant; nothing was changed or delivered."""

    principal: str
    action: Asked
    topic: str  # its first 200 characters; empty for "connect"
    rule: str
    unsaid: int = 0  # how many of this principal came before it and were only counted
