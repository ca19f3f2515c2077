"""What can be asked about the installation itself."""

from typing import Protocol

from doorward.app.views.health import Health


class Monitor(Protocol):
    """The gateway's view of its own health."""

    async def snapshot(self) -> Health: ...


class TrustAnchor(Protocol):
    """The site's own CA, as far as everybody may know it."""

    def certificate(self) -> bytes:
        """Its certificate, PEM."""
