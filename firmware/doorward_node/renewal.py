# A newer copy of who may pass, and the door's policy with it: made while one is under way. Its code is there all
# the time, because a config comes at every connect, right behind the handshake that takes the most heap of all.
#
# The gateway's config names version and digest of the file; delta.py gets what has changed, or pull.py
# the whole. Each is loaded for as long as that takes. Versions never go back.

# pyright: reportOptionalMemberAccess=false

import os

from doorward_core import board_messages, cache_messages, seal
from doorward_core.compat import const
from doorward_node import files, forget

_MAX_SIZE = const(524288)


class Renewal:
    # copy: the credentials.Credentials that it renews, with a Delta if there is one.
    def __init__(self, copy, path: str, config_path: str) -> None:  # type: ignore[no-untyped-def]
        self._copy = copy
        self._path = path
        self._config_path = config_path
        self._noted: "tuple[board_messages.Config, bytes] | None" = None
        self._pull = None
        # What has changed will not do. If it takes cards back it does so until the whole is here.
        self._whole = False

    def over(self) -> bool:
        # Whether there is nothing left to do.
        return not self._noted and not self._copy.delta

    def configure(self, version: int, body: bytes, payload: bytes) -> None:
        # As Credentials.configure.
        config = cache_messages.parse_config(body)
        if config.cache_version != version or config.cache_size > _MAX_SIZE:
            raise seal.SealError("config")
        copy = self._copy
        held = copy.config
        if version < copy.version():
            # The power went between the two renames, and somebody plays an older config.
            raise seal.SealError("replay")
        if held and version <= held.cache_version:
            if version < held.cache_version or config.cache_digest != held.cache_digest:
                raise seal.SealError("replay")
            if version == copy.version():
                return
        if self._noted and version <= self._noted[0].cache_version:
            return
        self._noted = config, payload
        self._pull = None
        self._whole = False

    def want(self, uptime: int) -> "bytes | None":
        # The body to publish as commands/ack to get the next piece, when one is due. uptime in s.
        delta = self._copy.delta
        if delta and self._noted and not self._whole:
            return delta.want(self._noted[0].cache_version, uptime)
        return self._pull.want(uptime) if self._pull else None

    def take(self, version: int, body: bytes) -> None:
        # Keeps a verified piece in RAM until store(); ignores one that was not asked for.
        named, offset, total, data, base = cache_messages.parse_cache_chunk(body)
        if not self._noted or version != named or version != self._noted[0].cache_version:
            return
        if self._copy.delta and not self._whole:
            self._copy.delta.take(offset, total, data, base)
        elif self._pull and not base:
            self._pull.take(offset, data)

    def store(self) -> bool:
        # One step on flash towards the config that was noted: True if that put it in force.
        delta = self._copy.delta
        if delta and delta.makes and not self._whole:
            self._merge(delta)
            return False
        if not self._noted:
            return False
        config, payload = self._noted
        # Here already if the power went between the two renames, or if a delta has made it.
        version = config.cache_version
        if version and version != self._copy.version() and not self._fetch(config):
            return False
        self._noted = self._pull = None
        self._copy.config = config
        try:
            files.replace(self._config_path, payload)
        except OSError:
            pass  # after a restart the gateway sends it again
        return True

    def _fetch(self, config: board_messages.Config) -> bool:
        # One step towards that version: True once it is in force.
        delta = self._copy.delta
        if delta and not self._whole:
            try:
                delta.store(config.cache_version)
            except OSError:
                delta.useless = True
            if delta.useless:
                self._drop_delta()
                self._whole = True
        elif not self._pull:
            if self._copy.version() and not self._whole:
                self.begin_delta()
                return False
            from doorward_node.pull import Pull

            self._pull = Pull(self._path + ".new", config)
            forget("pull")
        if not self._pull:
            return False
        try:
            if not self._pull.step():
                return False
            self._swap(config.cache_version)
        except OSError:
            # No room, or not this board's: the new copy goes, and is asked for again.
            self._pull.restart()
            self._copy.reopen()
            return False
        return True

    def begin_delta(self) -> None:
        from doorward_node.delta import Delta

        self._copy.delta = Delta(self._path, self._copy.version())
        forget("delta")

    def _drop_delta(self) -> None:
        self._copy.delta.remove()
        self._copy.delta = None

    def _merge(self, delta) -> None:  # type: ignore[no-untyped-def]
        # One step on the way from the delta to a copy: it needs no config, for the copy says itself
        # whose it is.
        try:
            if delta.step():
                self._swap(delta.makes)
        except OSError:
            # No room, or another copy than the gateway thought of: the whole has to come.
            self._copy.reopen()
            files.remove(self._path + ".new")
            self._whole = True

    def _swap(self, version: int) -> None:
        # One rename puts the new copy in force. Raises OSError if it is not made for this board.
        new = self._copy.opened(self._path + ".new", False)
        if new:
            new.close()
        if not new or new.version != version:
            raise OSError("cache")
        self._copy.close()
        os.rename(self._path + ".new", self._path)
        self._copy.reopen()
        if self._copy.delta:
            self._drop_delta()
