"""What may be asked of a signer in another process, and how it is put into bytes.

This list is the whole of it. No call here returns a key that is in use: `adopt`, `certify_user` and `certify_server`
return what they have just made, `next_key` what is to come, encrypted for its board. A call's shape is its method's
signature, so that both ends check every argument against the same types.
"""

import inspect
import types
from collections.abc import Callable, Iterable
from typing import Any, Concatenate, Generic, NamedTuple, ParamSpec, TypeVar, cast, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from doorward import errors
from doorward.errors import DoorwardError, InvalidInput, SigningUnavailable
from doorward.signer.signer import Signer
from doorward_core.seal import Sealed, SealError

P = ParamSpec("P")
R = TypeVar("R")

_QUICK_S = 1.0  # a tap waits for it
_DISK_S = 10.0  # a worn card takes its time to sync
_BULK_S = 60.0  # a cache for thousands of people

_CONFIG = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
_DONE, _FAILED = b"+", b"-"
# What a call may raise. Anything else is a fault of the signer, and said to be one.
_ERRORS = (
    errors.Conflict,
    errors.InvalidInput,
    errors.KeyFileError,
    errors.KeyFileTooOpen,
    errors.Unavailable,
    errors.UnknownDevice,
)


class _Sealed(NamedTuple):
    """A Sealed of the core, which knows no types."""

    body: bytes
    epoch: int
    freshness: str
    mac: bytes


class _Failure(NamedTuple):
    kind: str
    problem: str
    remedy: str = ""
    field: str | None = None


_FAILURE: TypeAdapter[_Failure] = TypeAdapter(_Failure)


class Call(Generic[P, R]):
    """One method of the Signer, as question and answer. `patience_s`: how long an answer may take."""

    def __init__(
        self, method: Callable[Concatenate[Signer, P], R], patience_s: float = _QUICK_S
    ) -> None:
        hints = get_type_hints(method)
        answer = hints.pop("return")
        self.name = method.__name__
        self.patience_s = patience_s
        self._signature = inspect.signature(method)
        self._question = _adapter(hints.values())
        self._is_sealed = answer is Sealed
        self._answer = _adapter((_Sealed if self._is_sealed else answer,))

    def ask(self, *args: P.args, **named: P.kwargs) -> bytes:
        """The question with these arguments."""
        bound = self._signature.bind(None, *args, **named)
        bound.apply_defaults()
        values = tuple(bound.arguments.values())[1:]
        return self.name.encode() + b" " + self._question.dump_json(values)

    def read(self, answer: bytes) -> R:
        """What an answer says. Raises what the call raised, SigningUnavailable for what is no answer."""
        try:
            if answer[:1] == _FAILED:
                raise _raised(_FAILURE.validate_json(answer[1:]))
            (said,) = self._answer.validate_json(answer[1:])
        except ValidationError as error:
            raise SigningUnavailable(
                "signing unavailable: the signer speaks another language",
                "let gateway and signer be of the same version",
            ) from error
        return cast("R", Sealed(*said) if self._is_sealed else said)

    def perform(self, signer: Signer, question: bytes) -> bytes:
        """Do what is asked; returns the answer. Raises only what is a fault of ours."""
        try:
            values = self._question.validate_json(question)
        except ValidationError:
            return _failure(InvalidInput(f"{self.name} was asked in a way that it does not know"))
        bound = self._signature.bind_partial(signer)
        bound.arguments.update(zip(list(self._signature.parameters)[1:], values, strict=True))
        try:
            said = getattr(signer, self.name)(*bound.args[1:], **bound.kwargs)
        except (DoorwardError, ValueError) as error:
            return _failure(error)
        if self._is_sealed:
            said = _Sealed(said.body, said.epoch, said.freshness, said.mac)
        return _DONE + self._answer.dump_json((said,))


def _adapter(kinds: Iterable[object]) -> TypeAdapter[Any]:
    """Bytes and back for values of these types, one after the other."""
    shape: Any = types.GenericAlias(tuple, tuple(kinds))
    return TypeAdapter(shape, config=_CONFIG)


def perform(signer: Signer, question: bytes) -> bytes:
    """Answer any question. Raises only what is a fault of ours."""
    name, _space, arguments = question.partition(b" ")
    call = _CALLS.get(name.decode(errors="replace"))
    if call is None:
        return _failure(InvalidInput("the signer was asked for something that it does not do"))
    return call.perform(signer, arguments)


def _failure(error: Exception) -> bytes:
    if isinstance(error, SealError):
        failure = _Failure("SealError", error.reason)
    elif isinstance(error, DoorwardError):
        known = next((kind for kind in _ERRORS if type(error) is kind), errors.Unavailable)
        failure = _Failure(known.__name__, error.problem, error.remedy, error.field)
    else:
        failure = _Failure("ValueError", str(error))
    return _FAILED + _FAILURE.dump_json(failure)


def _raised(failure: _Failure) -> Exception:
    if failure.kind == "SealError":
        return SealError(failure.problem)
    for kind in _ERRORS:
        if kind.__name__ == failure.kind:
            return kind(failure.problem, failure.remedy, field=failure.field)
    return ValueError(failure.problem)


# The answer where the signer itself went wrong; its log says how.
FAULT = _failure(errors.Unavailable("signing failed", "look at the signer's log"))

DEVICES = Call(Signer.devices)
VERIFY = Call(Signer.verify)
SEAL = Call(Signer.seal)
DECRYPT_UID = Call(Signer.decrypt_uid)
TAGS = Call(Signer.tags)
EPOCH = Call(Signer.epoch)
NEXT_KEY = Call(Signer.next_key, _DISK_S)
BUILD_CACHE = Call(Signer.build_cache, _BULK_S)
ADOPT = Call(Signer.adopt, _DISK_S)
FORGET = Call(Signer.forget, _DISK_S)
DIGESTS = Call(Signer.digests)
CERTIFY_USER = Call(Signer.certify_user, _DISK_S)
FORGET_USER = Call(Signer.forget_user, _DISK_S)
SERIAL = Call(Signer.serial)
IS_REVOKED = Call(Signer.is_revoked)
CRL = Call(Signer.crl)
CERTIFICATE = Call(Signer.certificate)
CERTIFY_SERVER = Call(Signer.certify_server)
ANCHOR = Call(Signer.anchor, _DISK_S)
ANCHORS = Call(Signer.anchors, _DISK_S)
HEAD = Call(Signer.head, _DISK_S)
SIGN_EXPORT = Call(Signer.sign_export)
AUDIT_CERTIFICATES = Call(Signer.audit_certificates)
# The first of them makes a key, and primes are found by trying.
SIGN_FIRMWARE = Call(Signer.sign_firmware, _BULK_S)
FIRMWARE_KEY = Call(Signer.firmware_key, _BULK_S)

_CALLS: dict[str, Call[Any, Any]] = {
    call.name: call for call in tuple(globals().values()) if isinstance(call, Call)
}
