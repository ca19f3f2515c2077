# The board's copy of who may pass: looked up on a tap, pulled from the gateway when it changes.
#
#   <directory>/config     the newest accepted config payload, seal and all
#   <directory>/cache      the credential file it names (doorward_core.records)
#   <directory>/cache.new  what has come of the next one
#
# The gateway's config names version and digest; the board asks for one piece after the other,
# from where it stopped, and one rename puts the whole in force. Versions never go back.

import binascii
import hashlib
import os

from doorward_core import access, board_messages, records, seal, topics
from doorward_core.compat import const
from doorward_node import files

_MAX_SIZE = const(524288)
_ASK_AGAIN_S = const(3)
# Read at a time when the whole is checked: the door's loop must have its turn between two.
_STEP = const(4096)
# In the header of doorward_core.records.
_VERSION_ENDS = const(40)


class Credentials:
    # config is the accepted board_messages.Config, None before the first.
    def __init__(self, directory: str, keys: seal.Keys) -> None:
        self._keys = keys
        self._config_path = directory + "/config"
        self._path = directory + "/cache"
        self._new_path = directory + "/cache.new"
        self._cache: "records.Cache | None" = None
        self.config: "board_messages.Config | None" = None
        self._wanted: "tuple[board_messages.Config, bytes] | None" = None
        self._received = 0
        self._asked: "int | None" = None
        self._chunk: "tuple[int, bytes] | None" = None
        self._hash = None  # of what has been checked of the new copy: so many bytes
        self._hashed = 0
        self._load()

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

    # --- a new config ---

    def configure(self, version: int, body: bytes, payload: bytes) -> None:
        # Takes note of a verified config with this counter; store() puts it in force. Raises
        # MessageError, and SealError("replay") for what is older than, or contradicts, what this
        # board has.
        config = board_messages.Config(body)
        if config.cache_version != version or config.cache_size > _MAX_SIZE:
            raise seal.SealError("config")
        held = self.config
        if held and version <= held.cache_version:
            if version < held.cache_version or config.cache_digest != held.cache_digest:
                raise seal.SealError("replay")
            if version == self.version():
                return
        if self._wanted and version <= self._wanted[0].cache_version:
            return
        self._wanted = (config, payload)
        self._received = -1
        self._asked = self._chunk = self._hash = None

    def want(self, uptime: int) -> "bytes | None":
        # The body to publish as commands/ack to get the next piece, when one is due. uptime in s.
        if not self._wanted or self._chunk or not -1 < self._received < self._wanted[0].cache_size:
            return None
        if self._asked is not None and uptime < self._asked + _ASK_AGAIN_S:
            return None
        self._asked = uptime
        return board_messages.cache_wanted(self._wanted[0].cache_version, self._received)

    def take(self, version: int, body: bytes) -> None:
        # Keeps a verified piece in RAM until store(); ignores one that was not asked for.
        named, offset, _total, data = board_messages.parse_cache_chunk(body)
        wanted = self._wanted[0].cache_version if self._wanted else -1
        if version == named == wanted and offset == self._received and data:
            self._chunk = offset, data

    def store(self) -> bool:
        # One step on flash: a piece written, or up to 4 KiB of the whole checked. True if that put
        # a new config and cache in force.
        if not self._wanted:
            return False
        try:
            return self._step(*self._wanted)
        except OSError:
            # No room: what there is of the new copy goes, and is asked for again.
            files.remove(self._new_path)
            self._received = 0
            self._chunk = self._hash = None
            self._cache = self._cache or self._open(self._path, False)
            return False

    # --- putting it in force ---

    def _step(self, config: board_messages.Config, payload: bytes) -> bool:
        if self._received < 0:
            self._received = self._resumable(config.cache_version)
        if self._chunk:
            offset, data = self._chunk
            with open(self._new_path, "ab" if offset else "wb") as file:
                file.write(data)
            self._received += len(data)
            self._asked = self._chunk = None
        # Here already if the power went between the two renames.
        if config.cache_version and self.version() != config.cache_version:
            if self._received < config.cache_size or not self._checked(config):
                return False
            if self._cache:
                self._cache.close()
                self._cache = None
            os.rename(self._new_path, self._path)
            self._cache = self._open(self._path, False)
        self._wanted = None
        self.config = config
        try:
            files.replace(self._config_path, payload)
        except OSError:
            pass  # after a restart the gateway sends it again
        return True

    def _checked(self, config: board_messages.Config) -> bool:
        # Reads on in the new copy: True at its end if it is what the config says. It goes if not.
        if not self._hash:
            self._hash = hashlib.sha256(b"")
            self._hashed = 0
        with open(self._new_path, "rb") as file:
            file.seek(self._hashed)
            for _ in range(_STEP // 512):
                self._hash.update(file.read(512))
        self._hashed += _STEP
        if self._hashed < config.cache_size:
            return False
        digest, self._hash = binascii.hexlify(self._hash.digest()).decode(), None
        if self._received == config.cache_size and digest == config.cache_digest:
            new = self._open(self._new_path, False)
            if new:
                new.close()
                if new.version == config.cache_version:
                    return True
        files.remove(self._new_path)
        self._received = 0
        return False

    def _open(self, path: str, check: bool) -> "records.Cache | None":
        # The cache in this file, every byte of it checked if so asked; None if it is not sound.
        if not files.exists(path):
            return None
        file = open(path, "rb")  # noqa: SIM115 - stays open: a look-up reads it
        keys = self._keys
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

    def _resumable(self, version: int) -> int:
        # How much of this version is here already, from before the connection or power went.
        # Only a guess from the header: the whole is checked before it counts.
        try:
            with open(self._new_path, "rb") as file:
                head = file.read(_VERSION_ENDS)
            if int.from_bytes(head[_VERSION_ENDS - 4 :], "big") == version:
                return os.stat(self._new_path)[6]
        except OSError:
            pass
        return 0

    def _load(self) -> None:
        self._cache = self._open(self._path, True)
        payload = files.read(self._config_path)
        if payload is None:
            return
        keys = self._keys
        while keys:
            try:
                sealed = seal.open_sealed(keys, topics.CONFIG, payload)
                self.config = board_messages.Config(sealed.body)
                return
            except ValueError:
                keys = keys.former
        # Not the gateway's, or damaged: as if there were none. It sends the config again.
        files.remove(self._config_path)
