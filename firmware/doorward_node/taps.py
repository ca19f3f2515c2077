# A tap: from the UID in the field to the strike, with or without the gateway.
#
# The gateway is asked at once. Without an answer the board decides after 300 ms by the record
# it has; without a record it waits until 2 s and denies. With no link there is nobody to wait
# for. Whatever comes later moves nothing: the nonce is burnt by whoever decides first.

from doorward_core import access, board_messages, seal, topics
from doorward_core.compat import const
from doorward_core.messages import hexed
from doorward_node.session import Nonce

_OWN_DECISION_MS = const(300)
_GIVE_UP_MS = const(2000)

# access_rules.RULE_NO_ANSWER
_NO_ANSWER = const(12)


class Taps:
    # The taps at one reader, one at a time. session: node.session.Session; credentials:
    # lookup(uid, utc, uptime), stale(utc), holidays() and config, the door's policy; clock: node.clock.Clock;
    # doorway: release(now, cause, seconds); log(type, data). gate says at a
    # "show" whether the credential may be looked at, and hears then that it was granted or refused.

    # How a card is presented here, and what a board knows of its site: the fields of
    # doorward_core.access_values.
    strength = access.STRENGTH_UID
    site = None
    stale = False
    holidays = ()

    def __init__(self, reader: int, session, credentials, clock, doorway, log, gate) -> None:
        self.reader = reader
        self.session = session
        self.credentials = credentials
        self.clock = clock
        self.doorway = doorway
        self.log = log
        self.gate = gate
        self._nonce = Nonce()
        self._uid: "bytes | None" = None
        self._request = ""
        self._decided = False
        self.turned_away = None  # function(now): the gate has said no

    def pending(self) -> bool:
        # True while a person stands at the door and waits.
        return self._uid is not None

    def begin(self, uid: bytes, now: int, online: bool) -> "bytes | None":
        # Opens a call: the payload to publish as access/request; None if the board has decided
        # by itself, being offline, or looks at nothing now.
        self.give_up(now)
        if not self.gate.step("show", uid, now):
            if self.turned_away:
                self.turned_away(now)
            return None
        nonce = self._nonce.open(now)
        self._uid = uid
        self._decided = False
        self._request = hexed(nonce[:8])
        if not online:
            self.tick(now, False)
            return None
        keys = self.session.keys
        body = board_messages.access_request(
            keys.device, self.reader, seal.encrypt_uid(keys, nonce, uid)
        )
        return self.session.call(topics.ACCESS_REQUEST, nonce, body)

    def give_up(self, now: int) -> None:
        # A tap that is still undecided is over: its nonce is void.
        if self._uid is not None:
            self._conclude(False, _NO_ANSWER, 0, "board", now)

    def answer(self, nonce: bytes, body: bytes, now: int) -> bool:
        # The gateway's answer, its seal verified. False if nobody waits for it any more.
        if not self._nonce.take(nonce, now):
            return False
        granted, rule, seconds = board_messages.parse_access_answer(body)
        self._conclude(granted, rule, seconds, "gateway", now)
        return True

    def tick(self, now: int, online: bool) -> None:
        # Decides by itself when it is time to.
        self.gate.step("tick", b"", now)
        if self._uid is None:
            return
        waited = self._nonce.age(now)
        if not self._decided and (not online or waited >= _OWN_DECISION_MS):
            self._decided = True
            decision = self._decide(self._uid, now)
            if decision and decision.verdict != access.NEEDS_GATEWAY:
                granted = decision.verdict == access.GRANT
                self._conclude(granted, decision.rule, 0, "board", now)
                return
        if self._decided and (not online or waited >= _GIVE_UP_MS):
            self.give_up(now)

    def _decide(self, uid: bytes, now: int) -> "access.Decision | None":
        utc = self.clock.utc(now)
        credential = self.credentials.lookup(uid, utc, self.clock.uptime(now))
        if credential is None:
            return None
        day, minute = self.clock.local(now)
        self.stale = self.credentials.stale(utc)
        self.holidays = self.credentials.holidays()
        door = self.credentials.config
        return access.decide(credential, door, self, minute, day, self)  # pyright: ignore[reportArgumentType]

    def _conclude(self, granted: bool, rule: int, seconds: int, source: str, now: int) -> None:
        self._nonce.burn()
        uid, self._uid = self._uid or b"", None
        if granted:
            self.doorway.release(now, {"cause": "tap", "request": self._request}, seconds)
        self.gate.step("granted" if granted else "refused", uid, now)
        self.log(
            "access.decision",
            {
                "request": self._request,
                "granted": granted,
                "rule": rule,
                "source": source,
                "tag": hexed(seal.tag(self.session.keys, uid)),
                # A code says nothing of itself; no card has as many bytes.
                "tail": "code" if len(uid) == 8 else hexed(uid[-2:]),
            },
        )
