"""The only code that reads device keys. It knows seals and cards, and neither rules nor people."""

from doorward.signer.authority import Authority
from doorward.signer.signer import Signer

__all__ = ["Authority", "Signer"]
