"""What the policy refused: counted, said, and told to the device whose message went nowhere."""

import json
from collections.abc import Callable

from doorward.broker.identity.principals import Principal, Role
from doorward.broker.reports.events import Asked, Denial
from doorward.broker.reports.log import DENIED, BrokerLog
from doorward.broker.reports.throttle import Throttle

TOPIC_SHOWN = 200  # characters of a refused topic that are repeated: boards drop long payloads


class Denials:
    """Who is refused again and again is counted, and told about now and then."""

    def __init__(
        self,
        throttle: Throttle,
        log: BrokerLog,
        on_denied: Callable[[Denial], None],
        answer: Callable[[Principal, bytes], None],
    ) -> None:
        """`answer` is given what a device is to hear of its own refused publish."""
        self.count = 0
        self._throttle = throttle
        self._log = log
        self._on_denied = on_denied
        self._answer = answer

    def deny(
        self,
        principal: Principal,
        action: Asked,
        topic: str,
        rule: str,
        client: str | None = None,
    ) -> None:
        """Count a refusal by `rule`, and say so."""
        self.count += 1
        unsaid = self._throttle.passes(principal.name)
        if unsaid is None:
            return
        shown = topic[:TOPIC_SHOWN]
        name = principal.name
        self._log.note_always(
            DENIED, name, client or name, shown, detail=f"{action}: {rule}", more=unsaid
        )
        self._on_denied(Denial(name, action, shown, rule, unsaid))
        if action == "publish" and principal.role is Role.DEVICE:
            body = {"action": action, "topic": shown, "rule": rule}
            self._answer(principal, json.dumps(body, separators=(",", ":")).encode())
