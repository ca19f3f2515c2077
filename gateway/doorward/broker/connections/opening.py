"""A client that is let in and not yet told so: what its CONNACK promises about its session has to be on disk first."""

from collections.abc import Callable, Sequence

from doorward.broker.routing.router import Router
from doorward.broker.sessions.session import Session


class Opening:
    """Holds the session of a connection until the commit; to the session it is a link that takes nothing yet."""

    ready = False
    congested = True

    def __init__(
        self,
        router: Router,
        session: Session,
        *,
        begin: Callable[[], None],
        close: Callable[[str], None],
    ) -> None:
        """Take the session, so that a second connection of its client finds this one.

        `begin` is called when CONNACK may go out, `close` ends the connection.
        """
        self._session = session
        self.gone = False
        self._router = router
        self._begin = begin
        self._close = close
        session.attach(self)

    def send(self, packet: bytes) -> None:
        """Nothing comes before CONNACK; what is worth it waits in the session, as this link is not ready."""

    def send_all(self, packets: Sequence[bytes]) -> None:
        """Nor many of them."""

    def committed(self) -> None:
        """What CONNACK promises is on disk."""
        if not self.gone:
            self._begin()

    def end(self, reason: str, *, will: bool = True) -> None:
        """Close the connection. Nobody was let in, so there is no will."""
        self._close(reason)

    def leave(self) -> None:
        """The connection is closed."""
        self.gone = True
        self._router.leave(self._session)
