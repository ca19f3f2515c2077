"""Every error that doorward raises on purpose: what is wrong, and what to do next.

A leaf says whose fault it is. `str(error)` is one line, fit for a terminal, a page and an API answer; it never
holds a secret or a whole credential number.
"""

import errno


def one_line(text: str) -> str:
    r"""`text` with everything that moves a cursor or hides written out, as \n or \u202e: it may quote what was sent."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


class DoorwardError(Exception):
    """Something is wrong, and somebody can do something about it."""

    code = "error"

    def __init__(self, problem: str, remedy: str = "", *, field: str | None = None) -> None:
        """Say what is wrong, what the next step is, and (for bad input) which field holds it."""
        self.problem = problem
        self.remedy = remedy
        self.field = field
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The problem and the next step, as one line."""
        return one_line(f"{self.problem}; {self.remedy}" if self.remedy else self.problem)


# --- the caller asked for something that cannot be ------------------------------------------------------------


class InvalidInput(DoorwardError):
    """What was given cannot be accepted; `field` names the culprit."""

    code = "invalid"


class NotFound(DoorwardError):
    """The person, card, door or device that was named does not exist."""

    code = "not_found"


class Conflict(DoorwardError):
    """It exists already, or its present state forbids the change."""

    code = "conflict"


class NothingToDo(Conflict):
    """All is already as it was asked to become."""

    code = "nothing_to_do"


class NotSignedIn(DoorwardError):
    """The session, password or token is missing, wrong or used up."""

    code = "not_signed_in"


class SecondFactorNeeded(NotSignedIn):
    """The password is right, and a code of the second factor is asked for; `ticket` ties the two steps together."""

    code = "second_factor_needed"

    def __init__(self, *, ticket: str) -> None:
        """Keep the ticket out of the message."""
        super().__init__(
            "a code of your second factor is needed", "type the one that your app shows"
        )
        self.ticket = ticket


class FreshLoginNeeded(DoorwardError):
    """Whoever asks may do it, and must show a password or a code once more."""

    code = "fresh_login_needed"


class NotPermitted(DoorwardError):
    """Whoever asks is known, and their role does not hold the permission that this needs."""

    code = "not_permitted"


class TooManyAttempts(DoorwardError):
    """Too many failed attempts; `retry_after` says how many seconds to wait."""

    code = "too_many_attempts"

    def __init__(self, problem: str, remedy: str = "", *, retry_after: int) -> None:
        """Name the wait in whole seconds."""
        super().__init__(problem, remedy)
        self.retry_after = retry_after


class Unavailable(DoorwardError):
    """The part that is needed is not there right now: a board offline, a store too slow."""

    code = "unavailable"


class SigningUnavailable(Unavailable):
    """The signer does not answer: nothing can be verified or sealed until it does."""

    code = "signing_unavailable"


class UnknownDevice(Unavailable):
    """Nothing can be said to this device: its key is not here."""

    code = "unknown_device"


# --- the installation cannot start or go on -------------------------------------------------------------------


class StartupError(DoorwardError):
    """The gateway cannot start as it is installed and configured."""

    code = "startup"


class ConfigError(StartupError):
    """The configuration file is unreadable or says something that makes no sense."""

    code = "config"


class PortInUse(StartupError):
    """Another program listens where we would."""

    code = "port_in_use"


def cannot_listen(error: OSError, host: str, port: int, what: str = "") -> StartupError:
    """Why nobody can listen there. what: the protocol, with a space behind it, where the port alone does not tell."""
    if error.errno == errno.EADDRINUSE:
        return PortInUse(
            f"{what}port {port} on {host} is in use by another program",
            "stop it, or choose others with --port-base",
        )
    return StartupError(
        f"{what}cannot listen on {host} port {port} ({error.strerror})",
        "choose another host or port",
    )


class AlreadyRunning(StartupError):
    """Another gateway holds this data directory."""

    code = "already_running"


class NoMicroPython(StartupError):
    """This machine has no MicroPython to run virtual boards with."""

    code = "no_micropython"


class KeyFileError(StartupError):
    """A key file is missing, unreadable or not a key."""

    code = "key_file"


class KeyFileTooOpen(KeyFileError):
    """Others on this machine can read a key file."""

    code = "key_file_too_open"


class DatabaseError(StartupError):
    """A database cannot be used."""

    code = "database"


class WrongKey(DatabaseError):
    """The key file does not belong to the database."""

    code = "wrong_key"


class DatabaseDamaged(DatabaseError):
    """The database file is not what was written."""

    code = "database_damaged"


class DatabaseTooNew(DatabaseError):
    """A newer doorward wrote the database."""

    code = "database_too_new"


class UpgradeFailed(DatabaseError):
    """A migration did not succeed; the database is as it was before."""

    code = "upgrade_failed"


# --- backups --------------------------------------------------------------------------------------------------


class BackupError(DoorwardError):
    """An archive cannot be made, read or restored."""

    code = "backup"


class WrongPassphrase(BackupError):
    """The passphrase does not open the archive."""

    code = "wrong_passphrase"


# --- what a device said is not to be believed ------------------------------------------------------------------


class Rejected(DoorwardError):
    """A device's message is refused: forged, replayed, malformed or out of place. It is counted, never acted on."""

    code = "rejected"


class Outdated(Rejected):
    """The broker has kept what a device said before its present start: passed over, and nobody's fault."""

    code = "outdated"
