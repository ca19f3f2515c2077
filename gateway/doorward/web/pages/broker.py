"""The page of the broker: what happens there, who comes with a password, and who may do what."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from doorward.app.operators.accounts import SHORTEST_PASSWORD
from doorward.app.services.broker import BrokerAdministration
from doorward.app.views.broker import BrokerEntry, BrokerRule, Granted, RuleAction, RuleEffect
from doorward.app.views.feed import FeedItem
from doorward.app.views.operators import Session
from doorward.domain.permissions import MQTT_EDIT, MQTT_SEE
from doorward.errors import DoorwardError, InvalidInput
from doorward.web.broker_looks import ACTIONS, FIGURES
from doorward.web.context import BrokerDep, Web, WebDep
from doorward.web.errors import sentence, status_of
from doorward.web.pages.desk import Field
from doorward.web.permission import FRESH, needs
from doorward.web.session import SignedIn, session_token
from doorward.web.stream import KEEPALIVE, Position, frame

router = APIRouter(prefix="/broker")

SHOWN = 50
_FIGURES_S = 1.0  # how often they are drawn anew while much happens
_CHANGE = [needs(MQTT_EDIT), FRESH]
_ABOUT = ("publish", "subscribe", "both")

Filter = Annotated[str, Query(max_length=1024)]
Topic = Annotated[str, Form(max_length=1024)]


class _Chosen:
    """Which lines of the log somebody wants to see."""

    def __init__(self, action: str, principal: str) -> None:
        self.action = action if action in ACTIONS else ""
        self.principal = principal.strip()[:128]

    def takes(self, entry: BrokerEntry) -> bool:
        """Whether this line is one of them."""
        return self.action in ("", entry.action) and self.principal in ("", entry.principal)


@dataclass(frozen=True, slots=True)
class _Visit:
    """Somebody at the page, who may change something."""

    web: WebDep
    desk: BrokerDep
    session: SignedIn

    async def change(
        self,
        place: str,
        work: Callable[[BrokerAdministration, str], Awaitable[object]],
        draft: dict[str, str] | None = None,
    ) -> Response:
        """Have the desk do it for who is here, and go back to this place of the page; or say on it what is wrong.

        draft: what the form for a new rule holds then.
        """
        try:
            made = await work(self.desk, self.session.username)
        except DoorwardError as error:
            return await _page(self.web, self.desk, self.session, error=error, draft=draft)
        if isinstance(made, Granted) and made.warnings:
            return await _page(self.web, self.desk, self.session, warnings=made.warnings)
        return RedirectResponse(f"/broker#{place}", 303)


@dataclass(frozen=True, slots=True)
class _RuleForm:
    """A rule as the form has it."""

    subject: Field = ""
    topic: Topic = ""
    about: Field = "both"
    effect: Field = "allow"

    def rule(self) -> BrokerRule:
        """What it says. Raises InvalidInput."""
        if self.about not in _ABOUT or self.effect not in ("allow", "deny"):
            raise InvalidInput("that is no kind of rule", "choose one of the list", field="about")
        action, said = cast("RuleAction", self.about), cast("RuleEffect", self.effect)
        return BrokerRule(self.subject.strip(), said, action, self.topic.strip())

    def draft(self) -> dict[str, str]:
        """What stays in the form when something is wrong with it."""
        return {"subject": self.subject, "topic": self.topic, "about": self.about}


VisitDep = Annotated[_Visit, Depends()]
RuleForm = Annotated[_RuleForm, Depends()]


@router.get("", dependencies=[needs(MQTT_SEE)])
async def broker(
    web: WebDep,
    desk: BrokerDep,
    session: SignedIn,
    action: Filter = "",
    principal: Filter = "",
    subject: Filter = "",
    topic: Filter = "",
    about: Filter = "",
) -> Response:
    """Show it. With `subject`, `topic` and `about` the form for a new rule is filled in."""
    draft = {"subject": subject, "topic": topic, "about": about}
    return await _page(web, desk, session, _Chosen(action, principal), draft=draft)


@router.get("/stream", dependencies=[needs(MQTT_SEE)])
async def stream(
    request: Request,
    web: WebDep,
    desk: BrokerDep,
    session: SignedIn,
    action: Filter = "",
    principal: Filter = "",
    after: str = "",
) -> StreamingResponse:
    """Push the lines that come after `after` (or the Last-Event-ID). It ends with the session."""
    token = session_token(request) or ""

    def watching() -> Session | None:
        now = web.services.auth.session(token, use=False)
        return now if now is not None and now.may(MQTT_SEE) else None

    position = Position.parse(request.headers.get("last-event-id", "") or after)
    frames = _frames(web, desk, session, watching, _Chosen(action, principal), position)
    return StreamingResponse(
        frames, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


@router.post("/users", dependencies=_CHANGE)
async def add_user(
    visit: VisitDep, name: Field = "", password: Field = "", role: Field = ""
) -> Response:
    """Let somebody in."""
    roles = [role] if role else []
    return await visit.change(
        "users", lambda desk, actor: desk.add_user(name, password, roles, actor=actor)
    )


@router.post("/users/remove", dependencies=_CHANGE)
async def remove_user(visit: VisitDep, name: Field = "") -> Response:
    """Shut somebody out."""
    return await visit.change("users", lambda desk, actor: desk.remove_user(name, actor=actor))


@router.post("/rules", dependencies=_CHANGE)
async def grant(visit: VisitDep, form: RuleForm) -> Response:
    """Make a rule."""
    return await visit.change(
        "rules", lambda desk, actor: desk.grant(form.rule(), actor=actor), form.draft()
    )


@router.post("/rules/revoke", dependencies=_CHANGE)
async def revoke(visit: VisitDep, form: RuleForm) -> Response:
    """Take a rule back."""
    return await visit.change("rules", lambda desk, actor: desk.revoke(form.rule(), actor=actor))


async def _page(
    web: Web,
    desk: BrokerAdministration,
    session: Session,
    chosen: _Chosen | None = None,
    *,
    error: DoorwardError | None = None,
    warnings: tuple[str, ...] = (),
    draft: dict[str, str] | None = None,
) -> Response:
    chosen = chosen or _Chosen("", "")
    position = Position(web.epoch, desk.feed.position)  # first: what comes is pushed
    rules = desk.rules()
    html = web.renderer(
        "broker.html",
        session=session,
        site=web.services.site,
        position=position,
        chosen=chosen,
        actions=ACTIONS,
        log_elsewhere=desk.log_elsewhere,
        error=sentence(error) if error else "",
        warnings=warnings,
        draft=draft or {"subject": "", "topic": "", "about": ""},
        rules=[rule for rule in rules if not rule.built_in],
        built_in=[rule for rule in rules if rule.built_in],
        roles=desk.roles(),
        password_min=SHORTEST_PASSWORD,
        **await _shown(desk, chosen),
    )
    return HTMLResponse(html, status_of(error) if error else 200)


async def _shown(desk: BrokerAdministration, chosen: _Chosen) -> dict[str, object]:
    """What of the page is live."""
    entries = await desk.log(
        SHOWN, action=chosen.action or None, principal=chosen.principal or None
    )
    return {
        "entries": entries,
        "users": await desk.users_with_certificates(),
        "figures": _figures(desk),
    }


def _figures(desk: BrokerAdministration) -> list[tuple[str, int]]:
    numbers = desk.figures().numbers
    return [(word, numbers[name]) for name, word in FIGURES.items() if name in numbers]


async def _frames(
    web: Web,
    desk: BrokerAdministration,
    session: Session,
    watching: Callable[[], Session | None],
    chosen: _Chosen,
    after: Position | None,
) -> AsyncIterator[bytes]:
    """Each new line as it comes; where lines are missing between it and the last, everything anew."""
    feed = desk.feed
    now = session

    def may_go_on() -> bool:
        nonlocal now
        found = watching()
        now = found or now
        return found is not None

    yield KEEPALIVE  # a first byte at once: the page can say that it is live
    last = after.number if after and after.epoch == web.epoch else -1
    if not 0 <= last <= feed.position:
        last = feed.position
        yield await _everything(web, desk, now, chosen, last)
    drawn = time.monotonic()
    async for item in web.streams.items(feed, last, may_go_on):
        if item is None:
            yield KEEPALIVE
            continue
        if item.id <= last:
            continue
        if item.id != last + 1:
            last = feed.position
            yield await _everything(web, desk, now, chosen, last)
            continue
        last = item.id
        html = _line(web, desk, now, chosen, item)
        if time.monotonic() - drawn >= _FIGURES_S or html:
            drawn = time.monotonic()
            html += web.renderer("push/broker_figures.html", figures=_figures(desk))
        yield frame(html, Position(web.epoch, last)) if html else KEEPALIVE


def _line(
    web: Web, desk: BrokerAdministration, session: Session, chosen: _Chosen, item: FeedItem
) -> str:
    """A new line of the log, if somebody wants to see it."""
    entry = item.data
    if not isinstance(entry, BrokerEntry) or not chosen.takes(entry):
        return ""
    users = desk.users() if entry.action == "DENIED" else ()
    return web.renderer("push/broker_entry.html", entry=entry, session=session, users=users)


async def _everything(
    web: Web, desk: BrokerAdministration, session: Session, chosen: _Chosen, last: int
) -> bytes:
    html = web.renderer(
        "push/broker_everything.html", session=session, **await _shown(desk, chosen)
    )
    return frame(html, Position(web.epoch, last))
