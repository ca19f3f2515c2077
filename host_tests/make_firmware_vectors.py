"""Writes `host_tests/vectors/firmware.json`: two small firmwares, signed with a key that nobody has afterwards."""

import hashlib
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from doorward.firmware.manifest import manifest

PATHS = ("doorward_core/__init__.mpy", "doorward_node/app.mpy", "doorward_node/roles/door.mpy")


def main() -> None:
    """Makes the key, signs, and forgets it."""
    key = rsa.generate_private_key(65537, 3072)
    content = {"modulus": key.public_key().public_numbers().n.to_bytes(384, "big").hex()}
    for name, version, epoch in (("good", "2.0", 1), ("older", "1.5", 0)):
        files = {path: f"{path} of {version}\n" * 20 for path in PATHS}
        listed = manifest(version, {path: text.encode() for path, text in files.items()}, epoch)
        content[name] = {
            "manifest": listed.decode(),
            "signature": key.sign(listed, padding.PKCS1v15(), SHA256()).hex(),
            "files": files,
        }
        if name == "good":
            content["digest"] = hashlib.sha256(listed).hexdigest()
    path = Path(__file__).parent / "vectors" / "firmware.json"
    path.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
