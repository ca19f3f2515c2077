# The board's copy of who may pass: looked up on a tap, replaced when the gateway has a newer one
# (renewal.py).
#
#   <directory>/config     the newest accepted config payload, seal and all
#   <directory>/cache      the credential file it names (doorward_core.records)

import os

from doorward_core import access, board_messages, cache_messages, records, seal, topics
from doorward_node import files
from doorward_node.renewal import Renewal


class Credentials:
    # config is the accepted board_messages.Config, None before the first.
    def __init__(self, directory: str, keys: seal.Keys) -> None:
        self.keys = keys
        self._config_path = directory + "/config"
        self._path = directory + "/cache"
        self._renewal: "Renewal | None" = None
        self._cache: "records.Cache | None" = self.opened(self._path, True)
        # While there is one: what takes cards back before it has become a copy.
        self.delta = None
        if self._cache and _is_there(self._path + ".delta"):
            self._renew().begin_delta()
            if not self.delta.makes:  # type: ignore[attr-defined]  # pyright: ignore[reportOptionalMemberAccess]
                self.delta = self._renewal = (
                    None  # the rest is asked for when the gateway names it again
                )
        self.config: "board_messages.Config | None" = self._kept()

    def _kept(self) -> "board_messages.Config | None":
        # What was in force before the board started again.
        payload = files.read(self._config_path)
        if payload is None:
            return None
        known: "seal.Keys | None" = self.keys
        while known:
            try:
                sealed = seal.open_sealed(known, topics.CONFIG, payload)
                return cache_messages.parse_config(sealed.body)
            except ValueError:
                known = known.former
        # Not the gateway's, or damaged: as if there were none. It sends the config again.
        files.remove(self._config_path)
        return None

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
        if self.delta and self.delta.makes and self.delta.names(mark):
            return None
        return cache.lookup(mark)

    def stale(self, utc: "int | None") -> bool:
        # True when the gateway has not renewed the copy for longer than it allows.
        return self._cache is not None and utc is not None and utc > self._cache.soft_expiry

    def holidays(self) -> "tuple[tuple[int, int], ...]":
        # Of the copy in force: (first day, last day) each.
        return self._cache.holidays if self._cache else ()

    # --- renewing ---

    def configure(self, version: int, body: bytes, payload: bytes) -> None:
        # Takes note of a verified config with this counter; store() puts it in force. Raises
        # MessageError, and SealError("replay") for what is older than, or contradicts, what this
        # board has.
        renewal = self._renewal or self._renew()
        try:
            renewal.configure(version, body, payload)
        finally:
            self._settle()

    def want(self, uptime: int) -> "bytes | None":
        # As Renewal.want.
        return self._renewal.want(uptime) if self._renewal else None

    def take(self, version: int, body: bytes) -> None:
        # As Renewal.take; without one nothing was asked for.
        if self._renewal:
            self._renewal.take(version, body)

    def store(self) -> bool:
        # As Renewal.store.
        if not self._renewal:
            return False
        done = self._renewal.store()
        self._settle()
        return done

    def _renew(self) -> Renewal:
        self._renewal = Renewal(self, self._path, self._config_path)
        return self._renewal

    def _settle(self) -> None:
        if self._renewal and self._renewal.over():
            self._renewal = None

    # --- the file ---

    def close(self) -> None:
        if self._cache:
            self._cache.close()
            self._cache = None

    def reopen(self) -> None:
        # The file in force, if it is not open.
        self._cache = self._cache or self.opened(self._path, False)

    def opened(self, path: str, check: bool) -> "records.Cache | None":
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
