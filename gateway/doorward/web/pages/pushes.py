"""What one open live page is told, from where it stands."""

from collections.abc import AsyncIterator, Callable

from doorward.app.views.access import DoorView, Release
from doorward.app.views.audit import AuditEntry
from doorward.app.views.feed import FeedItem
from doorward.app.views.operators import Session
from doorward.domain.permissions import AUDIT_SEE, DEVICES_EDIT
from doorward.errors import NotFound
from doorward.web import looks
from doorward.web.context import Web
from doorward.web.permission import doors_seen_by, seen_by
from doorward.web.stream import KEEPALIVE, Position, frame

SHOWN_EVENTS = 50


async def recent_events(web: Web, session: Session) -> tuple[AuditEntry, ...]:
    """The events that a page begins with: none for whoever may not see the audit."""
    return await web.services.history.recent(SHOWN_EVENTS) if session.may(AUDIT_SEE) else ()


class Pushes:
    """Follows the feed for one page.

    What a page has is a feed number, the id of its newest audit entry, and its doors. A push that would leave a hole
    in that (items no longer kept, another run of the gateway, a new door) brings everything instead.
    """

    def __init__(
        self,
        web: Web,
        session: Session,
        watching: Callable[[], Session | None],
        after: Position | None,
        seen: int,
    ) -> None:
        """`watching` gives the session as it is now, None when it may watch no longer.

        `after` and `seen` are what the page had when it was last told something.
        """
        self._web = web
        self._session = session
        self._watching = watching
        self._number = after.number if after and after.epoch == web.epoch else None
        self._seen = seen
        self._doors = {door.id for door in web.services.doors.list()}

    async def frames(self) -> AsyncIterator[bytes]:
        """Yield server-sent events until the stream is closed, or the session may watch no longer."""
        services = self._web.services
        yield KEEPALIVE  # a first byte at once: the page can say that it is live
        if self._number is None or self._number > services.feed.position:
            yield await self._everything()
        items = self._web.streams.items(services.feed, self._number or 0, self._still_watching)
        async for item in items:
            if item is None:
                yield KEEPALIVE
            elif item.id > (self._number or 0):
                yield await self._push(item)

    def _still_watching(self) -> bool:
        """Look at the session anew: its role may be another by now."""
        now = self._watching()
        if now is not None:
            self._session = now
        return now is not None

    async def _everything(self) -> bytes:
        services = self._web.services
        self._number = (
            services.feed.position
        )  # first: what comes during the reading is pushed after
        events = await recent_events(self._web, self._session)
        doors = doors_seen_by(self._session.permissions, services.doors)
        self._seen = max(self._seen, events[0].id if events else 0)
        self._doors = {door.id for door in doors}
        html = self._web.renderer(
            "push/everything.html",
            doors=doors,
            events=events,
            session=self._session,
            site=self._has_site(),
            summary=looks.summary(doors),
            **self._fixtures(),
        )
        return frame(html, Position(self._web.epoch, self._number))

    def _fixtures(self) -> dict[str, object]:
        services = self._web.services
        return {"lights": services.lights.list(), "sensors": services.sensors.sensors()}

    async def _push(self, item: FeedItem) -> bytes:
        """One item. A card is drawn as the door is now, not as it was: a late push then agrees with the rest."""
        door = self._door(item)
        if item.id != (self._number or 0) + 1 or (door and door.id not in self._doors):
            return await self._everything()
        self._number = item.id
        html = ""
        if isinstance(item.data, AuditEntry) and item.data.id > self._seen:
            self._seen = item.data.id
            if self._session.may(AUDIT_SEE):
                html = self._web.renderer("push/event.html", entry=item.data)
        if door:
            doors = doors_seen_by(self._session.permissions, self._web.services.doors)
            html += self._web.renderer(
                "push/door.html",
                door=door,
                session=self._session,
                site=self._has_site(),
                summary=looks.summary(doors),
            )
        if item.kind == "fixture":
            html += self._web.renderer(
                "push/fixtures.html", session=self._session, **self._fixtures()
            )
        return frame(html, Position(self._web.epoch, self._number))

    def _has_site(self) -> bool:
        return self._web.services.site is not None and self._session.may(DEVICES_EDIT)

    def _door(self, item: FeedItem) -> DoorView | None:
        match item.data:
            case AuditEntry(door_id=door_id) | Release(door_id=door_id) | DoorView(id=door_id):
                pass
            case _:
                return None
        try:
            found = self._web.services.doors.get(door_id) if door_id else None
        except NotFound:
            return None
        return seen_by(self._session, found) if found else None
