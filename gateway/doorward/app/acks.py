"""`commands/ack`: what a board says about a command, and where it asks for the next piece of its cache or firmware."""

from doorward.app.access.cache import CacheKeeper
from doorward.app.access.releases import Releases
from doorward.app.devices.presence import Presence
from doorward.app.devices.selftests import SelfTests
from doorward.app.lighting.lights import Lights
from doorward.app.messages.challenges import Challenges
from doorward.app.messages.router import Opened
from doorward.app.updates.offers import Offers
from doorward_core import gateway_messages


class CommandAcks:
    """Hands each ack to the one who waits for it."""

    def __init__(
        self,
        presence: Presence,
        releases: Releases,
        challenges: Challenges,
        cache: CacheKeeper,
        offers: Offers,
        lights: Lights,
        selftests: SelfTests,
    ) -> None:
        self._presence = presence
        self._releases = releases
        self._challenges = challenges
        self._cache = cache
        self._offers = offers
        self._lights = lights
        self._selftests = selftests

    def acknowledged(self, opened: Opened) -> None:
        """Take one ack, once."""
        device, message, body, _ = opened
        ack = gateway_messages.parse_command_ack(body)
        if message.retained:
            message.ack()
            return
        self._presence.live(opened)
        if ack.command_id == device.proof:
            self._presence.proven(device)
        elif ack.want == "firmware":
            self._offers.wanted(device, ack)
        elif ack.want is not None:
            self._cache.wanted(device, ack)
        else:
            # A command id is of one of them: each looks for its own.
            self._selftests.acknowledged(device, ack)
            self._releases.acknowledged(device, ack)
            self._challenges.acknowledged(device, ack)
            self._lights.acknowledged(device, ack)
        message.ack()
