# The board's copy of who may pass: looked up on a tap, replaced when the gateway has a newer one.
#
#   <directory>/config     the newest accepted config payload, seal and all
#   <directory>/cache      the credential file it names (doorward_core.records)
#
# The gateway's config names version and digest of the file; delta.py gets what has changed, or pull.py
# the whole. Each is loaded for as long as that takes. Versions never go back.

# pyright: reportOptionalMemberAccess=false

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
        # What has changed will not do. If it takes cards back it does so until the whole is here.
        self._whole = False
        self.config: "board_messages.Config | None" = None
        self._cache = self._open(self._path, True)
        # While there is one: what takes cards back before it has become a copy.
        self._delta = None
        if self._cache and _is_there(self._path + ".delta"):
            self._begin_delta()
            if not self._delta.makes:  # pyright: ignore[reportAttributeAccessIssue]
                self._delta = None  # the rest is asked for when the gateway names it again
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
        mark = seal.tag(cache.keys, uid)
        if self._delta and self._delta.makes and self._delta.names(mark):
            return None
        return cache.lookup(mark)

    def stale(self, utc: "int | None") -> bool:
        # True when the gateway has not renewed the copy for longer than it allows.
        return self._cache is not None and utc is not None and utc > self._cache.soft_expiry

    def holidays(self) -> "tuple[tuple[int, int], ...]":
        # Of the copy in force: (first day, last day) each.
        return self._cache.holidays if self._cache else ()

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
        self._whole = False

    def want(self, uptime: int) -> "bytes | None":
        # The body to publish as commands/ack to get the next piece, when one is due. uptime in s.
        if self._delta and self._noted and not self._whole:
            return self._delta.want(self._noted[0].cache_version, uptime)
        return self._pull.want(uptime) if self._pull else None

    def take(self, version: int, body: bytes) -> None:
        # Keeps a verified piece in RAM until store(); ignores one that was not asked for.
        named, offset, total, data, base = board_messages.parse_cache_chunk(body)
        if not self._noted or version != named or version != self._noted[0].cache_version:
            return
        if self._delta and not self._whole:
            self._delta.take(offset, total, data, base)
        elif self._pull and not base:
            self._pull.take(offset, data)

    def store(self) -> bool:
        # One step on flash towards the config that was noted: True if that put it in force.
        if self._delta and self._delta.makes and not self._whole:
            self._merge()
            return False
        if not self._noted:
            return False
        config, payload = self._noted
        # Here already if the power went between the two renames, or if a delta has made it.
        version = config.cache_version
        if version and version != self.version() and not self._fetch(config):
            return False
        self._noted = self._pull = None
        self.config = config
        try:
            files.replace(self._config_path, payload)
        except OSError:
            pass  # after a restart the gateway sends it again
        return True

    def _fetch(self, config: board_messages.Config) -> bool:
        # One step towards that version: True once it is in force.
        if self._delta and not self._whole:
            try:
                self._delta.store(config.cache_version)
            except OSError:
                self._delta.useless = True
            if self._delta.useless:
                self._drop_delta()
                self._whole = True
        elif not self._pull:
            if self._cache and not self._whole:
                self._begin_delta()
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
            self._cache = self._cache or self._open(self._path, False)
            return False
        return True

    def _begin_delta(self) -> None:
        from doorward_node.delta import Delta

        self._delta = Delta(self._path, self.version())
        forget("delta")

    def _drop_delta(self) -> None:
        self._delta.remove()
        self._delta = None

    def _merge(self) -> None:
        # One step on the way from the delta to a copy: it needs no config, for the copy says itself
        # whose it is.
        try:
            if self._delta.step():
                self._swap(self._delta.makes)
        except OSError:
            # No room, or another copy than the gateway thought of: the whole has to come.
            self._cache = self._cache or self._open(self._path, False)
            files.remove(self._path + ".new")
            self._whole = True

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
        if self._delta:
            self._drop_delta()

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


def _is_there(path: str) -> bool:
    try:
        os.stat(path)
        return True
    except OSError:
        return False
