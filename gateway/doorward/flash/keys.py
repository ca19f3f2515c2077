"""A new board's files between the gateway, which gives them out once, and the board.

They wait in a folder for their owner's eyes alone until the board has read them back: a cable that is pulled in between
costs another run, and not the board's keys.
"""

import base64
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doorward import private_file
from doorward.flash.wifi import Wifi

_CONFIG = "config.json"
_TLS = "tls"
_SIGNER = "firmware.key"


@dataclass(frozen=True, slots=True)
class Waiting:
    """The files of one board that has not got them yet."""

    folder: Path

    @property
    def is_there(self) -> bool:
        """Whether there are any: config.json is written last."""
        return (self.folder / _CONFIG).is_file()

    def keep(self, answer: Mapping[str, Any], wifi: Wifi) -> None:
        """Write down what an adoption gave."""
        self.drop()
        self.folder.mkdir(mode=0o700, parents=True)
        for name, content in answer["tls"].items():
            private_file.create(self.folder / _TLS / Path(name).name, base64.b64decode(content))
        if answer["firmware_key"]:
            signer = base64.b64decode(answer["firmware_key"])
            private_file.create(self.folder / _SIGNER, signer)
        config = {**answer["config"], "wifi": wifi.as_config()}
        private_file.create(self.folder / _CONFIG, json.dumps(config).encode())

    def files(self) -> dict[str, bytes]:
        """The files by their path on the board, config.json last. Raises KeyFileError."""
        tls = sorted((self.folder / _TLS).glob("*.der"))
        found = {f"/tls/{path.name}": private_file.read_key(path) for path in tls}
        for name in (_SIGNER, _CONFIG):
            if (self.folder / name).is_file():
                found["/" + name] = private_file.read_key(self.folder / name)
        return found

    def drop(self) -> None:
        """The board has them, or others have taken their place."""
        shutil.rmtree(self.folder, ignore_errors=True)
