"""The key that signs firmware: RSA, because a board can check that in 20 lines and a fraction of a second.

`firmware.pem` is made when something is signed first. `firmware.pub` is its other half, for people to copy, and the
witness that there was a key once: boards would obey no other.
"""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from doorward import private_file
from doorward.errors import InvalidInput, KeyFileError
from doorward.file_lock import lock_directory

_BITS = 3072
_EXPONENT = 65537
_DIGEST_BYTES = 32
_BACKUP = "restore it from your backup"


class Publisher:
    """Signs manifests of firmware. Its file is read at the first call: doors do not wait for it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key: rsa.RSAPrivateKey | None = None

    def exists(self) -> bool:
        """Whether there is a key; otherwise the first call that needs it makes one."""
        return (self._directory / "firmware.pem").exists()

    def sign(self, digest: bytes) -> bytes:
        """The signature (PKCS #1 v1.5) over the SHA-256 of a manifest. Raises InvalidInput, KeyFileError."""
        if len(digest) != _DIGEST_BYTES:
            raise InvalidInput("a manifest is signed by its SHA-256, 32 bytes", field="digest")
        return self._loaded().sign(digest, padding.PKCS1v15(), Prehashed(SHA256()))

    def public(self) -> bytes:
        """The public half, PEM."""
        return _public(self._loaded())

    def _loaded(self) -> rsa.RSAPrivateKey:
        if self._key is None:
            path, witness = self._directory / "firmware.pem", self._directory / "firmware.pub"
            with lock_directory(self._directory, wait=True):
                if not path.exists():
                    if witness.exists():
                        raise KeyFileError(
                            f"key file {path} is missing, and no board would obey another", _BACKUP
                        )
                    private_file.create(path, _pem(rsa.generate_private_key(_EXPONENT, _BITS)))
                key = _read(path)
                if not witness.exists() or witness.read_bytes() != _public(key):
                    private_file.replace(witness, _public(key))
            self._key = key
        return self._key


def _read(path: Path) -> rsa.RSAPrivateKey:
    try:
        key = load_pem_private_key(private_file.read_key(path), password=None)
    except (ValueError, TypeError) as error:
        raise KeyFileError(f"key file {path} holds no key", _BACKUP) from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != _BITS:
        raise KeyFileError(f"key file {path} holds no RSA key of {_BITS} bits", _BACKUP)
    return key


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
