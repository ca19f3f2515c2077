"""What a change of rules does to those who are connected, or whose sessions are kept."""

from functools import partial

from doorward.broker.identity.principals import Principals, Role
from doorward.broker.rights.policy import Policy
from doorward.broker.routing.router import Router
from doorward.broker.sessions.session import Session

_WHY = "no longer granted"


def judge_anew(router: Router, policy: Policy, principals: Principals) -> None:
    """Hold every user's session to the rules as they are now: what it may no longer read never reaches it.

    Boards' rights do not change; thousands of their sessions need not be looked at.
    """
    router.forget_routes()
    for session in tuple(router.sessions.values()):
        if session.principal.role is not Role.USER:
            continue
        session.principal = user = principals.get(session.principal.name) or session.principal
        lost = [
            topic_filter
            for topic_filter in session.subscriptions
            if policy.refuses_subscribe(user, topic_filter, session.client) is not None
        ]
        if lost:
            router.unsubscribe(session, lost, why=_WHY)
        session.forget_unreadable(partial(_reads, policy, session))


def _reads(policy: Policy, session: Session, topic: str) -> bool:
    return policy.may_read(session.principal, topic, session.client)
