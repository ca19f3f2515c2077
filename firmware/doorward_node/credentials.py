# The board's copy of who may pass: looked up on a tap, replaced when the gateway has a newer one.
#
#   <directory>/config     the newest accepted config payload, seal and all
#   <directory>/cache      the credential file it names (doorward_core.records)
#
# The gateway's config names version and digest of the file; pull.py gets it, and is loaded for as
# long as that takes. Versions never go back.

import os

from doorward_core import access, board_messages, records, seal, topics
from doorward_core.compat import const
from doorward_node import files, forget

_MAX_SIZE = const(524288)


class Credentials:
    # config is the accepted board_messages.Config, None before the first.
    def __init__(self, directory: str, keys: seal.Keys) -> None:
        self.keys = keys
        self._config_path = directory + "/config"
        self._path = directory + "/cache"
        self._noted: "tuple[board_messages.Config, bytes] | None" = None
        self._pull = None
        self.config: "board_messages.Config | None" = None
        self._cache = self._open(self._path, True)
        payload = files.read(self._config_path)
        if payload is None:
            return
        known: "seal.Keys | None" = keys
        while known:
            try:
                sealed = seal.open_sealed(known, topics.CONFIG, payload)
                self.config = board_messages.Config(sealed.body)
                return
            except ValueError:
                known = known.former
        # Not the gateway's, or damaged: as if there were none. It sends the config again.
        files.remove(self._config_path)

    def version(self) -> int:
        return self._cache.version if self._cache else 0

    def lookup(self, uid: bytes, utc: "int | None", uptime: int) -> "access.Credential | None":
        # The credential of this card; None without one, or when the copy is past its hard expiry.
        # utc None: it is at least uptime (s) later than when the copy was made.
        cache = self._cache
        if cache is None or self.config is None:
            return None  # without the door's policy nobody is let in by this copy
        if (cache.issued + uptime if utc is None else utc) > cache.hard_expiry:
            return None
        return cache.lookup(seal.tag(cache.keys, uid))

    def stale(self, utc: "int | None") -> bool:
        # True when the gateway has not renewed the copy for longer than it allows.
        return self._cache is not None and utc is not None and utc > self._cache.soft_expiry

    def configure(self, version: int, body: bytes, payload: bytes) -> None:
        # Takes note of a verified config with this counter; store() puts it in force. Raises
        # MessageError, and SealError("replay") for what is older than, or contradicts, what this
        # board has.
        config = board_messages.Config(body)
        if config.cache_version != version or config.cache_size > _MAX_SIZE:
            raise seal.SealError("config")
        held = self.config
        if version < self.version():
            # The power went between the two renames, and somebody plays an older config.
            raise seal.SealError("replay")
        if held and version <= held.cache_version:
            if version < held.cache_version or config.cache_digest != held.cache_digest:
                raise seal.SealError("replay")
            if version == self.version():
                return
        if self._noted and version <= self._noted[0].cache_version:
            return
        self._noted = config, payload
        self._pull = None

    def want(self, uptime: int) -> "bytes | None":
        # The body to publish as commands/ack to get the next piece, when one is due. uptime in s.
        return self._pull.want(uptime) if self._pull else None

    def take(self, version: int, body: bytes) -> None:
        # Keeps a verified piece in RAM until store(); ignores one that was not asked for.
        if self._pull:
            self._pull.take(version, body)

    def store(self) -> bool:
        # One step on flash towards the config that was noted: True if that put it in force.
        if not self._noted:
            return False
        config, payload = self._noted
        # Here already if the power went between the two renames.
        if config.cache_version and self.version() != config.cache_version:
            if not self._pull:
                from doorward_node.pull import Pull

                self._pull = Pull(self._path + ".new", config)
                forget("pull")
            try:
                if not self._pull.step():
                    return False
                self._swap(config.cache_version)
            except OSError:
                # No room, or not this board's: the new copy goes, and is asked for again.
                self._pull.restart()
                self._cache = self._cache or self._open(self._path, False)
                return False
        self._noted = self._pull = None
        self.config = config
        try:
            files.replace(self._config_path, payload)
        except OSError:
            pass  # after a restart the gateway sends it again
        return True

    def _swap(self, version: int) -> None:
        # One rename puts the new copy in force. Raises OSError if it is not made for this board.
        new = self._open(self._path + ".new", False)
        if new:
            new.close()
        if not new or new.version != version:
            raise OSError("cache")
        if self._cache:
            self._cache.close()
            self._cache = None
        os.rename(self._path + ".new", self._path)
        self._cache = self._open(self._path, False)

    def _open(self, path: str, check: bool) -> "records.Cache | None":
        # The cache in this file, every byte of it checked if so asked; None if it is not sound.
        try:
            file = open(path, "rb")  # noqa: SIM115 - stays open: a look-up reads it
        except OSError:
            return None
        keys = self.keys
        while keys:
            try:
                cache = records.Cache(file, keys)
                if check:
                    cache.check()
                return cache
            except ValueError:
                keys = keys.former
        file.close()
        return None
