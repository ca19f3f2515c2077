"""What the signer remembers of the audit, in memory."""

from doorward.app.signer_ports import Notary
from doorward.app.trust import Anchor, AuditHead, ExportSignature
from doorward.errors import Conflict


class MemoryNotary(Notary):
    def __init__(self, *heads: AuditHead) -> None:
        self.told = list(heads)
        self.error: Exception | None = None

    def anchor(
        self, count: int, digest: bytes, *, signed: bool = False, restored: bool = False
    ) -> None:
        if self.error is not None:
            raise self.error
        if self.told and count < self.told[-1].count and not restored:
            raise Conflict("the audit was longer")
        self.told.append(AuditHead(count, digest))

    def head(self) -> AuditHead | None:
        return self.told[-1] if self.told else None

    def anchors(self) -> tuple[Anchor, ...]:
        return ()

    def audit_certificates(self) -> tuple[bytes, ...]:
        return ()

    def sign_export(self, digest: bytes) -> ExportSignature:
        raise Conflict("it has no key to sign with")
