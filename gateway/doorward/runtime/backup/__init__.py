"""Backups: one encrypted file that holds an installation, and the way back from it.

`stream` is the encryption, `archive` what lies in it, `creating` and `restoring` the two ways. How a
gateway learns that it was restored is told in `restored`.
"""

from doorward.runtime.backup.archive import Manifest
from doorward.runtime.backup.creating import create
from doorward.runtime.backup.restoring import look, restore, verify

__all__ = ["Manifest", "create", "look", "restore", "verify"]
