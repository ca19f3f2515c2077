"""A firmware as boards pull it: its manifest, then its files in the manifest's order."""

import hashlib
from bisect import bisect_right
from itertools import accumulate

from doorward.app.firmware_ports import Bundle
from doorward.errors import Rejected
from doorward_core import gateway_updates


class Pieces:
    """Cuts one bundle. No piece goes beyond the end of the manifest or of a file."""

    def __init__(self, bundle: Bundle) -> None:
        self.version = bundle.version
        self._manifest = bundle.manifest
        self._signature = bundle.signature
        self._parts = (self._manifest, *(bundle.files[path] for path in sorted(bundle.files)))
        self._begins = (0, *accumulate(map(len, self._parts)))
        self.total = self._begins[-1]

    def offer(self, until: int) -> bytes:
        """What a board has to know before it asks for the first one. until: when the offer ends, UTC seconds."""
        digest = hashlib.sha256(self._manifest).digest()
        return gateway_updates.offer(
            self.version, len(self._manifest), digest, self._signature, until
        )

    def piece(self, order: int, offset: int) -> bytes:
        """The answer to a board that asks for what stands at `offset`. Raises Rejected behind the end."""
        if offset >= self.total:
            raise Rejected("a request for what is behind the end of a firmware")
        at = bisect_right(self._begins, offset) - 1
        inside = offset - self._begins[at]
        data = self._parts[at][inside : inside + gateway_updates.PIECE_SIZE]
        return gateway_updates.piece(order, offset, self.total, data)
