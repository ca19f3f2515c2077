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
        self._load()

    def version(self) -> int:
        return self._cache.version if self._cache else 0

    def lookup(self, tag: bytes, utc: "int | None", uptime: int) -> "access.Credential | None":
        # The credential with this tag; None without one, or when the copy is past its hard expiry.
        # utc None: it is at least uptime (s) later than when the copy was made.
        cache = self._cache
        if cache is None or self.config is None:
            return None  # without the door's policy nobody is let in by this copy
        if (cache.issued + uptime if utc is None else utc) > cache.hard_expiry:
            return None
        return cache.lookup(tag)

    def stale(self, utc: "int | None") -> bool:
        # True when the gateway has not renewed the copy for longer than it allows.
        return self._cache is not None and utc is not None and utc > self._cache.soft_expiry

    # --- a new config ---

    def configure(self, version: int, body: bytes, payload: bytes) -> bool:
        # Takes a verified config with this counter: True if it is in force at once, because its
        # cache is here already. Raises MessageError, and SealError("replay") for what is older
        # than, or contradicts, what this board has.
        config = board_messages.Config(body)
        if config.cache_version != version or config.cache_size > _MAX_SIZE:
            raise seal.SealError("config")
        held = self.config
        if held and version <= held.cache_version:
            if version < held.cache_version or config.cache_digest != held.cache_digest:
                raise seal.SealError("replay")
            if version == self.version():
                return False
        if self._wanted and version <= self._wanted[0].cache_version:
            return False
        self._wanted = (config, payload)
        self._asked = None
        self._received = self._resumable(version)
        return self._complete()

    def want(self, uptime: int) -> "bytes | None":
        # The body to publish as commands/ack to get the next piece, when one is due. uptime in s.
        if not self._wanted or self._chunk:
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
        # Writes the piece to flash. True if that put a new config and cache in force.
        chunk, self._chunk = self._chunk, None
        if not chunk:
            return False
        offset, data = chunk
        with open(self._new_path, "ab" if offset else "wb") as file:
            file.write(data)
        self._received += len(data)
        self._asked = None
        return self._complete()

    # --- putting it in force ---

    def _complete(self) -> bool:
        if not self._wanted:
            return False
        config, payload = self._wanted
        if self._cache and self._cache.version == config.cache_version:
            pass  # here already: the power went between the two renames
        elif self._received < config.cache_size:
            return False
        elif not self._swap(config):
            self._received = 0
            return False
        self._wanted = None
        files.replace(self._config_path, payload)
        self.config = config
        return True

    def _swap(self, config: board_messages.Config) -> bool:
        # The new file in the place of the old one, if it is what the config says.
        if not config.cache_version:
            return True
        new = self._open(self._new_path, config.cache_digest)
        if new is None or new.version != config.cache_version:
            files.remove(self._new_path)
            return False
        new.close()
        if self._cache:
            self._cache.close()
        os.rename(self._new_path, self._path)
        self._cache = self._open(self._path, None)
        return True

    def _open(self, path: str, digest: "str | None") -> "records.Cache | None":
        # The cache in this file, every byte of it checked; None if there is no sound one.
        if not files.exists(path):
            return None
        file = open(path, "rb")  # noqa: SIM115 - stays open: a look-up reads it
        try:
            if digest is None or _sha256(file) == digest:
                file.seek(0)
                cache = records.Cache(file, self._keys)
                cache.check()
                return cache
        except ValueError:
            pass
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
        self._cache = self._open(self._path, None)
        payload = files.read(self._config_path)
        if payload is None:
            return
        try:
            sealed = seal.open_sealed(self._keys, topics.CONFIG, payload)
            self.config = board_messages.Config(sealed.body)
        except ValueError:
            # Not the gateway's, or damaged: as if there were none. It sends the config again.
            files.remove(self._config_path)


def _sha256(file) -> str:  # type: ignore[no-untyped-def]
    digest = hashlib.sha256(b"")
    data = file.read(512)
    while data:
        digest.update(data)
        data = file.read(512)
    return binascii.hexlify(digest.digest()).decode()
