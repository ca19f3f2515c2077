"""What one open live page is told, from where it stands."""

from collections.abc import AsyncIterator

from doorward.app.views import AuditEntry, DoorView, FeedItem, Release, Session
from doorward.errors import NotFound
from doorward.web import looks
from doorward.web.context import Web
from doorward.web.stream import KEEPALIVE, Position, frame

SHOWN_EVENTS = 50


class Pushes:
    """Follows the feed for one page.

    What a page has is a feed number, the id of its newest audit entry, and its doors. A push that would leave a hole
    in that (items no longer kept, another run of the gateway, a new door) brings everything instead.
    """

    def __init__(self, web: Web, session: Session, after: Position | None, seen: int) -> None:
        """`after` and `seen` are what the page had when it was last told something."""
        self._web = web
        self._session = session
        self._number = after.number if after and after.epoch == web.epoch else None
        self._seen = seen
        self._doors = {door.id for door in web.services.doors.list()}

    async def frames(self, token: str) -> AsyncIterator[bytes]:
        """Yield server-sent events until the stream is closed, or the session behind `token` is over."""
        services = self._web.services
        yield KEEPALIVE  # a first byte at once: the page can say that it is live
        if self._number is None or self._number > services.feed.position:
            yield await self._everything()
        async for item in self._web.streams.items(services.feed, self._number or 0):
            if services.auth.session(token) is None:
                return
            if item is None:
                yield KEEPALIVE
            elif item.id > (self._number or 0):
                yield await self._push(item)

    async def _everything(self) -> bytes:
        services = self._web.services
        self._number = (
            services.feed.position
        )  # first: what comes during the reading is pushed after
        events = await services.history.recent(SHOWN_EVENTS)
        doors = services.doors.list()
        self._seen = max(self._seen, events[0].id if events else 0)
        self._doors = {door.id for door in doors}
        html = self._web.renderer(
            "push/everything.html",
            doors=doors,
            events=events,
            session=self._session,
            site=services.site is not None,
            summary=looks.summary(doors),
        )
        return frame(html, Position(self._web.epoch, self._number))

    async def _push(self, item: FeedItem) -> bytes:
        """One item. A card is drawn as the door is now, not as it was: a late push then agrees with the rest."""
        door = self._door(item)
        if item.id != (self._number or 0) + 1 or (door and door.id not in self._doors):
            return await self._everything()
        self._number = item.id
        html = ""
        if isinstance(item.data, AuditEntry) and item.data.id > self._seen:
            self._seen = item.data.id
            html = self._web.renderer("push/event.html", entry=item.data)
        if door:
            summary = looks.summary(self._web.services.doors.list())
            html += self._web.renderer(
                "push/door.html",
                door=door,
                session=self._session,
                site=self._web.services.site is not None,
                summary=summary,
            )
        return frame(html, Position(self._web.epoch, self._number))

    def _door(self, item: FeedItem) -> DoorView | None:
        match item.data:
            case AuditEntry(door_id=door_id) | Release(door_id=door_id) | DoorView(id=door_id):
                pass
        try:
            return self._web.services.doors.get(door_id) if door_id else None
        except NotFound:
            return None
