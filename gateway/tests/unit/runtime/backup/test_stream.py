"""The encrypted stream: any length comes back, and not one bit, chunk or byte may be missing, added or moved."""

import io
import random

import pytest

from doorward.errors import BackupError, WrongPassphrase
from doorward.runtime.backup import stream
from doorward.runtime.backup.stream import MAGIC, Cost, Reader, Writer

CHEAP = Cost(memory=64, passes=1, lanes=1)
HEAD = 47
CHUNK = 64 * 1024
SEALED = CHUNK + 16


def sealed(plain: bytes, passphrase: str = "four plain words here") -> bytes:
    file = io.BytesIO()
    writer = Writer(file, passphrase, CHEAP)
    for at in range(0, len(plain), 10_000):
        writer.write(plain[at : at + 10_000])
    writer.finish()
    return file.getvalue()


def opened(data: bytes, passphrase: str = "four plain words here") -> bytes:
    return Reader(io.BytesIO(data), passphrase).read()


PLAIN = random.Random(1).randbytes(3 * CHUNK + 100)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 100])
def test_every_length_comes_back(size: int) -> None:
    assert opened(sealed(PLAIN[:size])) == PLAIN[:size]


def test_the_same_text_is_never_sealed_alike() -> None:
    assert sealed(b"x" * 100)[HEAD:] != sealed(b"x" * 100)[HEAD:]


def test_it_is_read_in_any_portions() -> None:
    reader = Reader(io.BytesIO(sealed(PLAIN)), "four plain words here")
    portions = []
    while portion := reader.read(7777):
        portions.append(portion)
    assert b"".join(portions) == PLAIN
    assert {len(portion) for portion in portions[:-1]} == {7777}


def test_another_passphrase_opens_nothing() -> None:
    with pytest.raises(WrongPassphrase):
        opened(sealed(PLAIN), "four plain words her")


@pytest.mark.parametrize("size", [*range(0, HEAD + 20, 7), HEAD + SEALED, -1, -SEALED, -100])
def test_what_is_cut_off_is_refused(size: int) -> None:
    data = sealed(PLAIN)
    with pytest.raises(BackupError):
        opened(data[:size])


def test_chunks_have_their_place() -> None:
    data = sealed(PLAIN)
    one, two, three, last = (data[at : at + SEALED] for at in range(HEAD, len(data), SEALED))
    for order in ((two, one, three, last), (one, three, last), (one, two, two, three, last)):
        with pytest.raises(BackupError):
            opened(data[:HEAD] + b"".join(order))
    for beyond in (b"\0", last, three):
        with pytest.raises(BackupError):
            opened(data + beyond)
    assert opened(data) == PLAIN, "the control"


def test_every_bit_counts() -> None:
    data = sealed(PLAIN)
    chosen = random.Random(2).sample(range(HEAD * 8, len(data) * 8), 60)
    for bit in (*range(0, len(MAGIC) * 8, 9), *chosen):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BackupError):
            opened(bytes(changed))


def test_every_bit_of_the_header_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    data = sealed(PLAIN[:10])
    # The key does not depend on the header here: only the seal itself can notice.
    key = stream._cipher("four plain words here", CHEAP, data[27:43])
    monkeypatch.setattr(stream, "_cipher", lambda *_: key)
    assert opened(data) == PLAIN[:10], "the control"
    for bit in range(HEAD * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BackupError):
            opened(bytes(changed))


def test_a_header_cannot_ask_for_all_memory() -> None:
    data = bytearray(sealed(b"x"))
    data[18:22] = (64 * 1024 * 1024).to_bytes(4, "big")
    with pytest.raises(BackupError, match="beginning of the backup is damaged"):
        opened(bytes(data))


def test_what_is_documented_is_what_is_written() -> None:
    """The second implementation, from the module's docstring alone."""
    from argon2.low_level import Type, hash_secret_raw
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    data = sealed(PLAIN[: CHUNK + 5])
    memory, passes, lanes = (
        int.from_bytes(data[18:22], "big"),
        int.from_bytes(data[22:26], "big"),
        data[26],
    )
    key = hash_secret_raw(b"four plain words here", data[27:43], passes, memory, lanes, 32, Type.ID)
    size = int.from_bytes(data[43:47], "big") + 16
    first, last = data[47 : 47 + size], data[47 + size :]
    cipher = ChaCha20Poly1305(key)
    plain = cipher.decrypt(bytes(12), first, data[:47])
    plain += cipher.decrypt(bytes(10) + b"\1\1", last, data[:47])
    assert plain == PLAIN[: CHUNK + 5]
    assert Cost() == (64 * 1024, 3, 4)
