"""`commands/ack`: what a board says about a command, and where it asks for the next piece of its cache."""

from doorward.app.cache import CacheKeeper
from doorward.app.presence import Presence
from doorward.app.releases import Releases
from doorward.app.router import Opened
from doorward_core import gateway_messages


class CommandAcks:
    """Hands each ack to the one who waits for it."""

    def __init__(self, presence: Presence, releases: Releases, cache: CacheKeeper) -> None:
        self._presence = presence
        self._releases = releases
        self._cache = cache

    def acknowledged(self, opened: Opened) -> None:
        """Take one ack, once."""
        device, message, body, _ = opened
        ack = gateway_messages.parse_command_ack(body)
        if message.retained:
            message.ack()
            return
        self._presence.live(opened)
        if ack.want is not None:
            self._cache.wanted(device, ack)
        else:
            self._releases.acknowledged(device, ack)
        message.ack()
