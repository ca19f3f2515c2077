"""Files onto the board: beside their places first, read back there, then renamed; the firmware into the other slot."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from doorward.flash import image, scripts
from doorward.flash.board import Facts
from doorward.flash.errors import FlashError
from doorward.flash.image import Image
from doorward.flash.tools import Tool

_TRIES = 3
# Scripts in one connection.
_AT_ONCE = 4
_ENOSPC = 28
# LittleFS needs some blocks to move things about.
_SPARE = 32 * 1024
_PATCH = "/config.patch"
_REFUSED = {
    "epoch": (
        "the board has confirmed a firmware of a newer epoch, and takes none from before it",
        "flash the newer version",
    ),
    "mpy": ("the board's MicroPython loads another format of bytecode", "put 1.28 on it"),
    "family": ("this firmware is for another family of boards", "use one of its own"),
    "manifest": ("the list of files did not arrive whole", "run the same again"),
    "digest": ("a file came three times and never was right", "try another cable"),
    "incomplete": ("files are missing in the new slot", "run the same again"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """firmware: another one than in the slot in use. beside: files outside the slots. trial, foreign: see scripts."""

    firmware: bool
    beside: Mapping[str, bytes]
    trial: bool
    foreign: bool


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What went over the cable, and what the board did with it."""

    files: int = 0
    bytes: int = 0
    slot: str = ""
    trial: bool = False
    removed: tuple[str, ...] = ()


class Upload:
    """One board's upload. Raises FlashError."""

    def __init__(
        self,
        tool: Tool,
        facts: Facts,
        made: Image,
        say: Callable[[str], None],
        progress: Callable[[int, int], None],
    ) -> None:
        self._tool = tool
        self._facts = facts
        self._image = made
        self._say = say
        self._progress = progress
        self._slot = ""
        self._sent: set[str] = set()
        self._bytes = self._total = 0

    def run(self, wanted: Wanted, keys: Mapping[str, bytes], patch: Mapping[str, Any]) -> Uploaded:
        """Bring the board to what is wanted; keys and patch: its secret files, and what changes in its settings."""
        news = self._news(wanted, keys, patch)
        if not news and not wanted.firmware and not self._facts.root & scripts.STALE:
            return Uploaded(slot=self._facts.slot[0])
        if wanted.firmware:
            self._firmware(sum(map(len, news.values())))
        if keys:
            self._tool.run(scripts.FOLDERS)
        self._put({path + scripts.NEW: content for path, content in news.items()})
        return self._finish(wanted, news)

    def _news(
        self, wanted: Wanted, keys: Mapping[str, bytes], patch: Mapping[str, Any]
    ) -> dict[str, bytes]:
        """The files beside the slots, by their path on the board."""
        news = dict(wanted.beside)
        if patch:
            news[_PATCH] = json.dumps(patch).encode()
        return {**news, **keys}

    def _firmware(self, beside: int) -> None:
        """Fill the slot that is not in use."""
        self._put(
            {
                scripts.INSTALLER: self._image.installer,
                scripts.ORDER: self._image.manifest,
            }
        )
        self._say("comparing what is there")
        said = self._report(scripts.LACKING)
        slot, lacking = str(said["slot"]), list(map(str, said["lacking"]))
        self._slot = slot
        sizes = [len(self._image.files[path]) for path in lacking]
        need, free = image.room(sizes) + _SPARE, int(said["free"])
        if need > free:
            raise FlashError(
                f"the board's flash is full: {need // 1024} KiB are needed, {free // 1024} are free",
                "remove what is not doorward's (`mpremote fs tree`), and run the same again",
                field="port",
            )
        self._say(
            f"{len(lacking)} of {len(self._image.files)} files differ; they go into slot {slot}"
        )
        self._total = self._bytes + sum(sizes) + beside
        self._put({f"/{slot}/{path}": self._image.files[path] for path in lacking})

    def _finish(self, wanted: Wanted, news: Mapping[str, bytes]) -> Uploaded:
        digests = {path: image.digest(content) for path, content in news.items()}
        script = scripts.finish(
            digests, firmware=wanted.firmware, trial=wanted.trial, foreign=wanted.foreign
        )
        for _ in range(_TRIES):
            self._say("reading it back on the board")
            said = self._report(script)
            if said.get("done"):
                slot = [str(word) for word in said["slot"]]
                removed = tuple(str(name) for name in said["gone"])
                return Uploaded(len(self._sent), self._bytes, slot[0], len(slot) > 2, removed)
            self._again([str(path) for path in said.get("wrong", ())], news)
        raise FlashError(*_REFUSED["digest"], field="port")

    def _again(self, wrong: list[str], news: Mapping[str, bytes]) -> None:
        """Send once more what did not arrive as it was sent."""
        beside = {path + scripts.NEW: news[path] for path in wrong if path in news}
        inside = {
            f"/{self._slot}/{path}": self._image.files[path] for path in wrong if path not in news
        }
        self._put({**beside, **inside})

    def _report(self, script: str) -> dict[str, Any]:
        said: dict[str, Any] = scripts.report(self._tool.run(script))
        refused, errno = said.get("refused"), said.get("errno")
        if refused is not None:
            why = _REFUSED.get(str(refused), (f"the board refuses it: {refused}", "report this"))
            raise FlashError(*why, field="board")
        if errno is not None:
            what = "the board's flash is full" if errno == _ENOSPC else f"its flash fails ({errno})"
            raise FlashError(
                what, "remove what is not doorward's (`mpremote fs tree`)", field="port"
            )
        if not said:
            raise FlashError("the board did not finish", "run the same again", field="port")
        return said

    def _put(self, files: Mapping[str, bytes]) -> None:
        self._total = max(self._total, self._bytes + sum(map(len, files.values())))
        sent = scripts.send(files)
        for at in range(0, len(sent), _AT_ONCE):
            said = self._tool.run(*sent[at : at + _AT_ONCE])
            for path, size in scripts.report(said).get("sent", ()):
                self._bytes += size
                self._sent.add(path)
            self._progress(self._bytes, self._total)
