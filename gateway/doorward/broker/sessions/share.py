"""How much may wait for one user, however many sessions it keeps."""

EACH = 256  # bytes that a message takes beside its payload


class Share:
    """What waits in all sessions of one user, in bytes; each message counts `EACH` more than its payload."""

    __slots__ = ("__weakref__", "most", "size")

    def __init__(self, most: int) -> None:
        """Nothing waits yet. `most`: what may."""
        self.most = most
        self.size = 0
