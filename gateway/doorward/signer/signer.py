"""Seals and opens for every enrolled device, and says who is one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from doorward import private_file
from doorward.app.signer_ports import CacheFile
from doorward.app.trust import (
    Adoption,
    Anchor,
    AuditHead,
    ExportSignature,
    ServerIdentity,
    UserIdentity,
)
from doorward.errors import Conflict, InvalidInput, UnknownDevice
from doorward.signer import enrolment
from doorward.signer.authority import Authority
from doorward.signer.enrolment import Enrolment
from doorward.signer.notary import Notary
from doorward.signer.publisher import Publisher
from doorward.signer.user_certificates import UserCertificates, check_user
from doorward_core import gateway_seal, records_build, seal, topics
from doorward_core.seal import Keys, Sealed, SealError


@dataclass(slots=True)
class _Device:
    """One device's secrets, with what is derived from them: it all goes when they do."""

    enrolment: Enrolment
    keys: Keys
    next_keys: Keys | None
    tags: dict[bytes, bytes] = field(default_factory=dict)


class Signer:
    """The keys in a directory: one file a device, read once, and the site's certificate authority.

    What it gives away (`adopt`, `certify_user`, `certify_server`) it has just made: no call returns a key that is in
    use already.
    """

    def __init__(self, directory: Path) -> None:
        """Read every `*.key` in `directory`. Raises the errors of `enrolment.load` and of the authority."""
        self._directory = directory
        self._devices: dict[str, _Device] = {}
        self._changing = Lock()
        for path in sorted(directory.glob("*.key")):
            self._hold(enrolment.load(path))
        self._authority = Authority.load_or_create(directory)
        self._notary = Notary(directory, self._authority)
        self._publisher = Publisher(directory)
        self._users = UserCertificates(directory)

    def adopt(self, device: str) -> Adoption:
        """Make a device's secrets, key and certificate. What an adopted one had before is worth nothing from now on.

        Raises InvalidInput for what is no device id.
        """
        _check_id(device)
        certified = self._authority.certify_device(device)
        made, password = enrolment.new(device, certified.serial)
        with self._changing:
            # Were the power to go in between, the board would be shut out until it is adopted again. The other way
            # round its old certificate would stay good for ever.
            self._revoke(device)
            self._users.drop(device)
            enrolment.replace(self._directory, made)
            self._hold(made)
        return Adoption(
            device=device,
            secret=password,
            key=made.key,
            epoch=made.epoch,
            serial=certified.serial,
            authority=self._authority.certificate_der,
            certificate=certified.certificate,
            private_key=certified.key,
            firmware_key=self._publisher.public() if self._publisher.exists() else None,
        )

    def forget(self, device: str) -> None:
        """Revoke a device's certificate and delete its keys, for good. Nothing happens the second time.

        Raises InvalidInput for what is no device id.
        """
        _check_id(device)
        with self._changing:
            self._revoke(device)
            private_file.remove(enrolment.path_of(self._directory, device))
            self._devices.pop(device, None)

    def digests(self) -> dict[str, bytes]:
        """SHA-256 of every device's MQTT secret: what the broker has to know."""
        return {device: known.enrolment.digest for device, known in self._devices.items()}

    def certificate(self) -> bytes:
        """The site's CA certificate, PEM. It is no secret."""
        return self._authority.certificate

    def certify_server(self, names: Sequence[str]) -> ServerIdentity:
        """A new key and certificate for servers under `names` (DNS names, addresses). Raises InvalidInput."""
        return self._authority.certify_server(names)

    def certify_user(self, name: str) -> UserIdentity:
        """A new key and certificate for a user of the broker; one that it had before is void from now on.

        Raises InvalidInput for what is no user name, Conflict for a device's.
        """
        check_user(name)
        with self._changing:
            if name in self._devices:
                raise Conflict(
                    f"{name} is the name of a board", "choose another user", field="name"
                )
            made = self._authority.certify_user(name)
            self._revoke(name)
            self._users.put(name, made.serial)
        return made

    def forget_user(self, name: str) -> None:
        """Revoke a user's certificate, if it has one. Raises InvalidInput for what is no user name."""
        check_user(name)
        with self._changing:
            serial = self._users.serial(name)
            if serial is not None:
                self._authority.revoke(serial)
                self._users.drop(name)

    def serial(self, name: str) -> int | None:
        """The serial of a device's certificate, or of a user's; None when it has none."""
        known = self._devices.get(name)
        return known.enrolment.serial if known else self._users.serial(name)

    def is_revoked(self, serial: int) -> bool:
        return self._authority.is_revoked(serial)

    def crl(self) -> bytes:
        """The revocation list, PEM."""
        return self._authority.crl()

    def anchor(
        self, count: int, digest: bytes, *, signed: bool = False, restored: bool = False
    ) -> None:
        self._notary.anchor(count, digest, signed=signed, restored=restored)

    def anchors(self) -> tuple[Anchor, ...]:
        return self._notary.anchors()

    def head(self) -> AuditHead | None:
        return self._notary.head()

    def sign_export(self, digest: bytes) -> ExportSignature:
        return self._notary.sign_export(digest)

    def audit_certificates(self) -> tuple[bytes, ...]:
        return self._notary.certificates

    def sign_firmware(self, digest: bytes) -> bytes:
        return self._publisher.sign(digest)

    def firmware_key(self) -> bytes:
        return self._publisher.public()

    def devices(self) -> tuple[str, ...]:
        return tuple(self._devices)

    def verify(self, device: str, suffix: str, payload: bytes, extra: bytes = b"") -> Sealed:
        if device not in self._devices:
            # To the outside an unknown device and a wrong key are the same thing.
            raise SealError("mac")
        known = self._of(device)
        if known.next_keys is None or seal.split(payload).epoch != known.next_keys.epoch:
            return seal.open_sealed(known.keys, suffix, payload, extra)
        sealed = seal.open_sealed(known.next_keys, suffix, payload, extra)
        with self._changing:
            if self._of(device) is known:
                # The board has it: from its first good word on, it is the only one.
                made = enrolment.in_force(known.enrolment)
                enrolment.replace(self._directory, made)
                self._hold(made)
        return sealed

    def seal(
        self, device: str, suffix: str, freshness: str, body: bytes, extra: bytes = b""
    ) -> bytes:
        return seal.seal(self._of(device).keys, suffix, freshness, body, extra)

    def decrypt_uid(self, device: str, nonce: bytes, block: bytes) -> bytes:
        return gateway_seal.decrypt_uid(self._of(device).keys, nonce, block)

    def tags(self, device: str, uid: bytes) -> tuple[bytes, ...]:
        former = self._of(device).keys.former
        present = self._tag(device, uid)
        return (present,) if former is None else (present, seal.tag(former, uid))

    def epoch(self, device: str) -> int:
        return self._of(device).keys.epoch

    def next_key(self, device: str, nonce: bytes) -> tuple[int, bytes]:
        with self._changing:
            known = self._of(device)
            made = known.enrolment
            if made.next_key is None:
                made = enrolment.with_next_key(made)
                # On disk before it leaves: a board that took it would be lost otherwise.
                enrolment.replace(self._directory, made)
                self._hold(made)
        wrapped = gateway_seal.encrypt_key(known.keys, nonce, bytes.fromhex(made.next_key or ""))
        return made.epoch + 1, wrapped

    def _tag(self, device: str, uid: bytes) -> bytes:
        known = self._of(device)
        tag = known.tags.get(uid)
        if tag is None:
            tag = known.tags[uid] = seal.tag(known.keys, uid)
        return tag

    def build_cache(self, device: str, contents: CacheFile) -> bytes:
        rows = [(self._tag(device, uid), person, group) for uid, person, group in contents.cards]
        return records_build.build(
            self._of(device).keys,
            contents.version,
            contents.issued,
            contents.soft_expiry,
            contents.hard_expiry,
            contents.windows,
            contents.persons,
            rows,
            contents.holidays,
        )

    def _of(self, device: str) -> _Device:
        try:
            return self._devices[device]
        except KeyError:
            raise UnknownDevice(
                f"device {device} has no key here", f"restore {self._directory / device}.key"
            ) from None

    def _revoke(self, name: str) -> None:
        serial = self.serial(name)
        if serial is not None:
            self._authority.revoke(serial)

    def _hold(self, known: Enrolment) -> None:
        keys = _keys(known, known.key, known.epoch)
        if known.former_key is not None:
            keys.former = _keys(known, known.former_key, known.epoch - 1)
        coming = _keys(known, known.next_key, known.epoch + 1) if known.next_key else None
        self._devices[known.device] = _Device(known, keys, coming)


def _check_id(device: str) -> None:
    """Raise InvalidInput for what is no device id: a file is named after it."""
    if not topics.is_id(device):
        raise InvalidInput(
            f"{device!r} is no device id", "use 1 to 32 of A-Z a-z 0-9 _ -", field="device"
        )


def _keys(known: Enrolment, key: str, epoch: int) -> Keys:
    return Keys(known.device, bytes.fromhex(key), epoch)
