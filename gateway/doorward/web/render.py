"""Templates. The fragment that a page renders is the fragment that the stream pushes."""

import socket
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from doorward.web import (
    board_looks,
    broker_looks,
    fixture_looks,
    looks,
    person_looks,
    update_looks,
)
from doorward.web.agents import browser
from doorward.web.permission_words import permission_words
from doorward.web.static import asset

FOLDER = Path(__file__).parent / "templates"


def _clock(at: datetime) -> str:
    local = at.astimezone()
    today = datetime.now().astimezone().date()
    return local.strftime("%H:%M:%S" if local.date() == today else "%-d %b %H:%M")


def _day(at: datetime) -> str:
    return at.astimezone().strftime("%-d %B %Y")


def _levels(topic: str) -> Markup:
    """A topic that goes on in the next line at the end of a level, where a line is too short for it."""
    return Markup("/<wbr>").join(topic.split("/"))


def _full_clock(at: datetime) -> str:
    return at.astimezone().strftime("%A %-d %B %Y, %H:%M:%S %Z")


@cache
def _environment(*, demo: bool) -> Environment:
    """The Jinja environment with what all templates know; what is compiled serves every application."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "look": looks.door_look,
        "board_look": board_looks.board_look,
        "update_look": update_looks.update_look,
        "may_update": update_looks.may_update,
        "rollout_look": update_looks.rollout_look,
        "event_look": looks.event_look,
        "held": person_looks.held,
        "broker_look": broker_looks.broker_look,
        "light_words": fixture_looks.light_words,
        "motion_words": fixture_looks.motion_words,
        "permission": permission_words,
        "browser": browser,
        "clock": _clock,
        "day": _day,
        "full_clock": _full_clock,
        "levels": _levels,
    }
    icons = made.get_template("parts/icons.html").module
    made.globals |= {
        "asset": asset,
        "csrf_field": made.get_template("parts/forms.html").module.csrf_field,  # type: ignore[attr-defined]  # ditto
        "release_note": looks.release_note,
        "can_be_granted": broker_looks.can_be_granted,
        "icon": icons.icon,  # type: ignore[attr-defined]  # macros are attributes
        "mark": icons.mark,  # type: ignore[attr-defined]  # ditto
        "site_name": "Virtual site" if demo else socket.gethostname(),
    }
    return made


class Renderer:
    """Makes pages and fragments of templates."""

    def __init__(self, *, demo: bool) -> None:
        self._environment = _environment(demo=demo)

    def __call__(self, template: str, **values: Any) -> str:
        """Render a template. Every value is escaped."""
        return self._environment.get_template(template).render(now=datetime.now(UTC), **values)
