"""How much comes from one address: who floods the door keeps nobody else out."""

from ipaddress import ip_address, ip_network

from doorward.backoff import place_of


class PerAddress:
    """Counts what each address has. This machine, and what has no address, is not counted."""

    def __init__(self, most: int) -> None:
        """`most`: how many one address may have."""
        self._most = most
        self._counts: dict[str, int] = {}

    def is_full(self, host: str) -> bool:
        """True when one more from there would be one too many."""
        key = _key(host)
        return key is not None and self._counts.get(key, 0) >= self._most

    def add(self, host: str) -> None:
        """One more from there."""
        key = _key(host)
        if key is not None:
            self._counts[key] = self._counts.get(key, 0) + 1

    def discard(self, host: str) -> None:
        """One that was added is gone."""
        key = _key(host)
        if key is not None:
            left = self._counts.get(key, 0) - 1
            if left > 0:
                self._counts[key] = left
            else:
                self._counts.pop(key, None)


def _key(host: str) -> str | None:
    bare = host.partition("%")[0]
    place = place_of(bare)
    try:
        here = ip_address(bare).is_loopback or ip_network(place).is_loopback
    except ValueError:
        return None
    return None if here else place
