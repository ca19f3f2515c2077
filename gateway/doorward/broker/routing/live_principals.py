"""What another secret, or none, does to those who are connected, or whose sessions are kept."""

from doorward.broker.identity.principals import Principal
from doorward.broker.routing.router import Router


def let_go(router: Router, principal: Principal, *, gone: bool) -> None:
    """Close what is connected by that name; `gone`: and forget its sessions.

    What was revoked has no last word; whoever has the new secret comes back with it. Who has that name as client id
    only goes, too, and leaves its will.
    """
    for session in router.sessions_of(principal.name):
        if session.link is not None:
            session.link.end("its secret was replaced or removed", will=False)
        if gone:
            router.forget(session.client)
    squatter = router.sessions.get(principal.name)
    if squatter is not None and squatter.principal.name != principal.name:
        if squatter.link is not None:
            squatter.link.end("its client id is now the name of somebody else")
        router.forget(squatter.client)
