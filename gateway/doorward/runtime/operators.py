"""The use cases about operators, wired to each other."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from doorward.app.operators.accounts import Accounts
from doorward.app.operators.desk import OperatorDesk
from doorward.app.operators.log import OperatorLog
from doorward.app.operators.own_account import OwnAccounts
from doorward.app.operators.sessions import Sessions
from doorward.app.operators.sign_in import OneTimeTokens, SignIn
from doorward.app.operators.tokens import ApiTokens
from doorward.app.ports import AuditStore, Clock, OperatorStore, Passwords
from doorward.domain.audit import AuditRow


@dataclass(frozen=True, slots=True)
class OperatorCases:
    """Signing in, one's own account, everybody's accounts, and programs' tokens."""

    auth: SignIn
    account: OwnAccounts
    operators: OperatorDesk
    tokens: ApiTokens
    log: OperatorLog


def wire_operators(
    store: OperatorStore,
    audit: AuditStore,
    passwords: Passwords,
    clock: Clock,
    announce: Callable[[Iterable[AuditRow]], None],
    tokens: OneTimeTokens,
) -> OperatorCases:
    """Make them all; `announce` tells committed rows."""
    log = OperatorLog(audit, clock, announce)
    accounts = Accounts(store, log, clock)
    sessions = Sessions(store, clock)
    auth = SignIn(accounts, sessions, passwords, log, clock, tokens)
    own = OwnAccounts(accounts, sessions, passwords, log, clock, auth.check_password)
    desk = OperatorDesk(accounts, sessions, auth, passwords, log)
    api_tokens = ApiTokens(store, accounts, log, clock)
    desk.on_removed.append(api_tokens.forget)
    return OperatorCases(auth, own, desk, api_tokens, log)
