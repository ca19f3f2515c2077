"""The definition of a virtual site: DIR/site.json, with its boards and its cards (name to UID).

A board is its config.json, and in it "tls": the files of its folder /tls in Base64, by name.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doorward_lab.errors import SiteError
from doorward_lab.readers import uid_bytes


@dataclass(frozen=True, slots=True)
class Site:
    """boards: one profile each. cards: the UID in hex digits of each card by its name."""

    boards: tuple[Mapping[str, Any], ...]
    cards: Mapping[str, str]

    def uid(self, card: str) -> str:
        """Return the UID of a card by its name. Raises SiteError."""
        try:
            return self.cards[card]
        except KeyError:
            known = ", ".join(sorted(self.cards)) or "none"
            raise SiteError(f"there is no card {card}; the cards here are: {known}") from None


def read_site(path: Path) -> Site:
    """Read and check a site.json. Raises SiteError naming the file and the field."""
    content = _read_object(path)
    boards = content.get("boards", [])
    if not isinstance(boards, list) or not all(isinstance(board, dict) for board in boards):
        raise SiteError(f"{path}: boards is not a list of objects; give each board its config.json")
    cards = content.get("cards", {})
    if not isinstance(cards, dict):
        raise SiteError(f"{path}: cards is not an object; give it names and UIDs")
    for name, uid in cards.items():
        try:
            uid_bytes(str(uid))
        except SiteError as error:
            raise SiteError(f"{path}: cards.{name}: {error}") from None
    return Site(tuple(boards), dict(cards))


def read_profile(path: Path) -> Mapping[str, Any]:
    """Read one board's config.json and the folder tls beside it. Raises SiteError naming the file."""
    profile = _read_object(path)
    try:
        found = {file.name: file.read_bytes() for file in path.parent.glob("tls/*.der")}
    except OSError as error:
        raise SiteError(f"{error.filename} cannot be read: {error.strerror}") from None
    if found:
        profile["tls"] = {name: base64.b64encode(data).decode() for name, data in found.items()}
    return profile


def _read_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except OSError as error:
        raise SiteError(
            f"{path} cannot be read: {error.strerror}; run the demo, or name a --profile"
        ) from None
    except ValueError as error:
        raise SiteError(f"{path} is not JSON: {error}; correct or delete it") from None
    if not isinstance(content, dict):
        raise SiteError(f"{path} holds no JSON object; correct or delete it")
    return content
