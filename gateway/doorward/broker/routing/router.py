"""From a publish to its subscribers: policy first, then retained messages, sessions and the journal."""

from collections.abc import Callable, Sequence
from functools import partial

from doorward.broker.identity.principals import Principal, Principals
from doorward.broker.keeping.answers import Receipt
from doorward.broker.keeping.journal import Journal
from doorward.broker.keeping.messages import Message
from doorward.broker.limits import Limits
from doorward.broker.ports import Kept, KeptMessage, KeptRetained
from doorward.broker.reports.denials import TOPIC_SHOWN, Denials
from doorward.broker.reports.events import Asked, Denial
from doorward.broker.reports.log import PUBLISH, SUBSCRIBE, UNSUBSCRIBE, BrokerLog
from doorward.broker.reports.throttle import Throttle
from doorward.broker.rights.policy import Policy
from doorward.broker.routing.quotas import Quotas
from doorward.broker.routing.retained import RetainedMessages
from doorward.broker.routing.routes import Routes
from doorward.broker.sessions.session import Session
from doorward_core import mqtt, topic_tree


class Router:
    """Every session, subscription and retained message. Nothing here knows of sockets."""

    def __init__(
        self,
        policy: Policy,
        journal: Journal,
        limits: Limits,
        on_denied: Callable[[Denial], None],
        clock: Callable[[], float],
        log: BrokerLog | None = None,
    ) -> None:
        """Start empty; `restore` brings back what was kept."""
        self._policy = policy
        self._journal = journal
        self._limits = limits
        self._routes = Routes(policy, self._reads)
        self.sessions: dict[str, Session] = {}
        self.retained = RetainedMessages()
        self.quotas = Quotas(limits, self.sessions, self.retained)
        self.own = RetainedMessages()  # what the broker itself says; not kept on disk
        self.log = log or BrokerLog()
        throttle = Throttle(limits.denials, clock)
        self.denials = Denials(throttle, self.log, on_denied, self._tell_denied)
        self._dropped = 0  # by sessions that are gone

    def restore(self, kept: Kept, principals: Principals) -> None:
        """Take back sessions, queues and retained messages; those of principals that are gone are forgotten."""
        waiting: dict[str, list[KeptMessage]] = {}
        for message in kept.messages:
            waiting.setdefault(message.client, []).append(message)
        for client, (owner, subscriptions) in kept.sessions.items():
            principal = principals.get(owner)
            if principal is None:
                self._journal.end_session(client)
                continue
            session = self.sessions[client] = self._new_session(client, principal, clean=False)
            for topic_filter, qos in subscriptions.items():
                self._subscribe(session, topic_filter, qos)
            session.restore(waiting.get(client, ()))
        for client, packet_id in kept.received:
            if client in self.sessions:
                self.sessions[client].received.add(packet_id)
        for topic, retained in kept.retained.items():
            self.retained.put(topic, retained)

    # --- sessions ---------------------------------------------------------------------------------

    def open(self, client: str, principal: Principal, *, clean: bool) -> tuple[Session, bool]:
        """The session of a client that was let in, and whether it was there before.

        A connection that the same client still had is closed first.
        """
        session = self.sessions.get(client)
        if session is not None and session.link is not None:
            session.link.end("taken over by a new connection of the same client")
            session = self.sessions.get(client)
        if session is not None and (clean or session.principal.name != principal.name):
            self.forget(client)
            session = None
        if session is not None:
            if session.principal != principal:
                session.principal = principal
                self._routes.forget()  # its rights may be others
                session.forget_unreadable(partial(self._reads, session))
            return session, True
        session = self.sessions[client] = self._new_session(client, principal, clean=clean)
        if not clean:
            self._journal.begin_session(client, principal.name)
        return session, False

    def _new_session(self, client: str, principal: Principal, *, clean: bool) -> Session:
        share = self.quotas.share_of(principal)
        return Session(client, principal, self._journal, self._limits, clean=clean, share=share)

    def sessions_of(self, owner: str) -> list[Session]:
        """Every session of one principal: a device has one, a user one for each of its client ids."""
        return [one for one in self.sessions.values() if one.principal.name == owner]

    def leave(self, session: Session) -> None:
        """The client's connection is gone; a clean session goes with it."""
        session.detach()
        if session.clean and self.sessions.get(session.client) is session:
            self.forget(session.client)

    def forget(self, client: str) -> None:
        """End a session with its subscriptions and its queue."""
        session = self.sessions.pop(client, None)
        if session is None:
            return
        self._dropped += session.dropped
        session.empty()
        for topic_filter in session.subscriptions:
            self._routes.remove(session, topic_filter)
        if not session.clean:
            self._journal.end_session(client)

    @property
    def dropped(self) -> int:
        """Messages that did not fit into a queue, since the start."""
        return self._dropped + sum(session.dropped for session in self.sessions.values())

    # --- subscriptions ----------------------------------------------------------------------------

    def subscribe(
        self, session: Session, wanted: Sequence[tuple[str, int]]
    ) -> tuple[list[int], bool]:
        """Grant what the policy allows: (a return code each, whether the disk has to know first).

        Raises MqttError before anything changes when a filter is malformed. Retained messages follow at once.
        """
        _check_filters([topic_filter for topic_filter, _ in wanted])
        most = self._limits.subscriptions
        codes = [self._grant(session, topic_filter, qos) for topic_filter, qos in wanted[:most]]
        # Nobody may have so many: tens of thousands in one packet would hold everybody up while they are judged.
        codes += [mqtt.REFUSED] * (len(wanted) - most)
        # In the order that was asked for, each once: who comes back knows what arrives first.
        granted = list(
            dict.fromkeys(
                topic_filter
                for (topic_filter, _), code in zip(wanted, codes, strict=True)
                if code != mqtt.REFUSED
            )
        )
        for topic_filter in granted:
            self._send_retained(session, topic_filter)
        return codes, bool(granted) and not session.clean

    def unsubscribe(self, session: Session, filters: Sequence[str], why: str = "") -> bool:
        """End subscriptions; True when the disk has to know first. `why` is for the log.

        It has to as well of those that are no more: who asks again may not have been told that it knows.
        """
        _check_filters(filters)
        for topic_filter in filters:
            if session.subscriptions.pop(topic_filter, None) is not None:
                self._routes.remove(session, topic_filter)
                if not session.clean:
                    self._journal.subscribe(session.client, topic_filter, None)
                name = session.principal.name
                self.log.note(UNSUBSCRIBE, name, session.client, topic_filter, detail=why)
        return not session.clean

    def _grant(self, session: Session, topic_filter: str, qos: int) -> int:
        rule = self._policy.refuses_subscribe(session.principal, topic_filter, session.client)
        rule = rule or self.quotas.refuses_filter(session, topic_filter)
        if rule is not None:
            self.denials.deny(session.principal, "subscribe", topic_filter, rule, session.client)
            return mqtt.REFUSED
        self._subscribe(session, topic_filter, qos)
        if not session.clean:
            self._journal.subscribe(session.client, topic_filter, qos)
        self.log.note(SUBSCRIBE, session.principal.name, session.client, topic_filter, qos)
        return qos

    def _subscribe(self, session: Session, topic_filter: str, qos: int) -> None:
        session.subscriptions[topic_filter] = qos
        self._routes.add(session, topic_filter, qos)

    def _send_retained(self, session: Session, topic_filter: str) -> None:
        # All of them, however many topics there are; but who piles up subscriptions gets no second set.
        beyond_limit = not session.full
        granted = session.subscriptions[topic_filter]
        found = (*self.retained.match(topic_filter), *self.own.match(topic_filter))
        for topic, (payload, qos, _) in found:
            if self._reads(session, topic):
                message = Message(topic, payload, qos, retain=True, keep=self._policy.keeps(topic))
                session.deliver(message, min(qos, granted), beyond_limit=beyond_limit)

    def forget_routes(self) -> None:
        """Ask anew who receives what: somebody's rights have changed."""
        self._routes.forget()

    def _reads(self, session: Session, topic: str) -> bool:
        return self._policy.may_read(session.principal, topic, session.client)

    # --- messages ---------------------------------------------------------------------------------

    def publish(
        self,
        principal: Principal,
        topic: str,
        payload: bytes,
        qos: int,
        retain: bool,
        client: str | None = None,
        receipt: Receipt | None = None,
        action: Asked = "publish",
    ) -> None:
        """Check, then deliver. `receipt` is for the publisher: it waits until all that is kept is safe."""
        rule = self._policy.refuses_publish(principal, topic, client)
        if rule is None and retain:
            rule = self.quotas.refuses_retained(principal, topic, payload)
        if rule is not None:
            if not self._policy.is_probe(principal, topic, payload):
                self.denials.deny(principal, action, topic, rule, client)
            return
        name = principal.name
        said = "" if action == "publish" else action
        self.log.note(PUBLISH, name, client or name, topic, qos, len(payload), said)
        self._route(topic, payload, qos, name if retain else None, receipt)

    def say(self, topic: str, payload: bytes) -> None:
        """Tell something of the broker's own to whoever may read it; who comes later is told the last of it."""
        self.own.put(topic, KeptRetained(payload, 0))
        message = Message(topic, payload, 0, keep=False)
        for session, _ in self._routes.of(topic).recipients:
            session.deliver(message, 0)

    def clear_retained(self, name: str) -> None:
        """Forget what is retained on the topics of the device of that name, whoever left it there."""
        for place in self._policy.places_of(name):
            for topic, _ in tuple(self.retained.match(place)):
                self._retain(topic, b"", 0, "")

    def refuses_will(
        self, principal: Principal, topic: str, client: str | None = None
    ) -> str | None:
        """The rule that forbids a will on `topic`, counted like a refused publish."""
        rule = self._policy.refuses_publish(principal, topic, client)
        if rule is not None:
            self.denials.deny(principal, "will", topic, rule, client)
        return rule

    def _tell_denied(self, principal: Principal, payload: bytes) -> None:
        self._route(self._policy.denied_topic(principal), payload, 1)

    def _route(
        self,
        topic: str,
        payload: bytes,
        qos: int,
        owner: str | None = None,
        receipt: Receipt | None = None,
    ) -> None:
        if owner is not None and self._may_retain(topic, qos):
            self._retain(topic, payload, qos, owner)
            if receipt is not None:
                # Even if nothing is there to clear: who cleared it may not have been told yet that the disk knows.
                receipt.until_committed()
        route = self._routes.of(topic)
        message = Message(topic, payload, qos, False, route.keep, receipt)
        for session, granted in route.recipients:
            least = qos if qos < granted else granted  # noqa: FURB136 - min() is slow, this is every message
            session.deliver(message, least)

    def _may_retain(self, topic: str, qos: int) -> bool:
        # Nobody who says it at QoS 0 waits for an answer, so nothing else bounds what is noted for a disk that refuses.
        return bool(qos or self._journal.has_room_for(topic)) and self._policy.may_retain(topic)

    def _retain(self, topic: str, payload: bytes, qos: int, owner: str) -> None:
        """An empty payload clears the topic (3.3.1.3)."""
        if payload:
            kept = KeptRetained(payload, qos, owner)
            self.retained.put(topic, kept)
            self._journal.retain(topic, kept)
        elif self.retained.clear(topic):
            self._journal.retain(topic, None)


def _check_filters(filters: Sequence[str]) -> None:
    for topic_filter in filters:
        if not topic_tree.valid_filter(topic_filter):
            raise mqtt.MqttError(f"malformed topic filter {topic_filter[:TOPIC_SHOWN]!r}")
