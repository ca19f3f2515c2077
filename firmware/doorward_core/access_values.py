# What access.decide is asked about, beside the credential. A board has one object for all three.

from doorward_core.access import STRENGTH_UID


class Door:
    # The policy of the door: weakest strength it takes; lockdown admits nobody; site_rules says
    # that a rule needs the whole site (anti-passback, two-person), which only the gateway sees.
    __slots__ = ("min_strength", "lockdown", "site_rules")

    def __init__(
        self, min_strength: int = STRENGTH_UID, lockdown: bool = False, site_rules: bool = False
    ) -> None:
        self.min_strength = min_strength
        self.lockdown = lockdown
        self.site_rules = site_rules


class Request:
    # How the credential was presented: method "rfid", strength as proven by the reader.
    __slots__ = ("method", "strength")

    def __init__(self, method: str = "rfid", strength: int = STRENGTH_UID) -> None:
        self.method = method
        self.strength = strength


class State:
    # What the deciding side knows beside the credential. site: what the rules that need the whole
    # site say (True, False), None on a board, which cannot see it. stale: the board has not heard
    # from its gateway for longer than its cache allows for people with dates or schedules. holidays:
    # those around the day, as (first day, last day) each.
    __slots__ = ("site", "stale", "holidays")

    def __init__(
        self,
        site: "bool | None" = None,
        stale: bool = False,
        holidays: "tuple[tuple[int, int], ...]" = (),
    ) -> None:
        self.site = site
        self.stale = stale
        self.holidays = holidays
