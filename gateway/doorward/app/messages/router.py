"""Every message of a device comes through here: verified first, then given to the one who knows its leaf."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import structlog

from doorward.app.messages.fleet import Device, Fleet
from doorward.app.ports import Message
from doorward.app.signer_ports import Signer
from doorward.errors import Outdated, Rejected, Unavailable, UnknownDevice
from doorward_core import topics
from doorward_core.messages import MessageError
from doorward_core.seal import SealError, parse_freshness

_log = structlog.get_logger(__name__)


class Opened(NamedTuple):
    """A message whose seal is good. `word` is its parsed freshness: (kind, nonce or boot, number)."""

    device: Device
    message: Message
    body: bytes
    word: tuple[str, bytes | int | str, int]


Handler = Callable[[Opened], None]
RawHandler = Callable[[Device, Message], None]


class Router:
    """Leaf → handler. Whatever a device may send, this never raises; only what the store cannot take stays unacked."""

    def __init__(
        self,
        fleet: Fleet,
        signer: Signer,
        sealed: Mapping[str, Handler],
        raw: Mapping[str, RawHandler],
    ) -> None:
        """A handler of `sealed` gets verified bodies, one of `raw` verifies by itself. Handlers ack."""
        self._fleet = fleet
        self._signer = signer
        self._sealed = sealed
        self._raw = raw

    def handle(self, message: Message) -> None:
        """Route one message."""
        # Before it is approved a board is heard on that one leaf, and what it says there opens nothing.
        announcement = message.suffix == topics.REGISTER
        find = self._fleet.candidate if announcement else self._fleet.find
        device = find(message.device)
        if device is None:
            if message.payload:  # what a revoked board left is cleared with nothing
                self._fleet.strangers += 1
            message.ack()
            return
        try:
            self._dispatch(device, message)
        except Outdated:
            message.ack()
        except Rejected as refused:
            self._refuse(device, message, refused.problem)
        except SealError as refused:
            self._refuse(device, message, f"seal: {refused.reason}")
        except MessageError as refused:
            self._refuse(device, message, f"message: {refused.field or 'body'}")
        except UnknownDevice:
            # Its key went away while we were at it: it will not be understood the second time either.
            self._refuse(device, message, "a device without a key")
        except Unavailable as away:
            # Unacked: the broker sends it again on the next connection, and by then there may be a signer or a store.
            _log.error("message.waits", device=message.device, error=str(away))
            self._fleet.start_over()
        except Exception:  # noqa: BLE001 - a bug of ours must not stop the other doors
            # Acked all the same: what fails once fails again, and 64 of them would fill the window
            # that all doors share.
            _log.exception("message.failed", device=message.device, leaf=message.suffix)
            self._refuse(device, message, "a fault of the gateway")

    def _dispatch(self, device: Device, message: Message) -> None:
        raw = self._raw.get(message.suffix)
        if raw is not None:
            raw(device, message)
            return
        handler = self._sealed.get(message.suffix)
        if handler is None or not message.payload:
            # A leaf that nobody reads yet, or a retained state being cleared.
            message.ack()
            return
        sealed = self._signer.verify(message.device, message.suffix, message.payload)
        handler(Opened(device, message, sealed.body, parse_freshness(sealed.freshness)))

    def _refuse(self, device: Device, message: Message, reason: str) -> None:
        self._fleet.reject(device, message.suffix, reason)
        message.ack()
