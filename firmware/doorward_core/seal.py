# The seal, version 1: who said it, to whom, about what, and when it stops being true.
#
#   <compact JSON body>\n
#   dw1 <key epoch> <freshness> <first 16 bytes of HMAC-SHA256, hex>
#
# The MAC covers length-prefixed label, device, topic suffix, freshness word and body exactly as
# received, so verify first and parse afterwards. Freshness words:
#   n:<nonce>            what opens something, and answers to calls
#   s:<boot nonce>.<n>   states, acks, lock: n only rises within one boot of the board
#   c:<n>                config, cache, firmware: a persisted counter
#   e:<log epoch>.<seq>  events

import binascii
import hashlib

from doorward_core import topics
from doorward_core.compat import aes_cbc, const, same

MAX_PAYLOAD = const(1024)
NONCE_SIZE = const(16)
BOOT_SIZE = const(8)
CHAIN_START = bytes(16)

_KEY_SIZE = const(32)
_MAX_UID = const(10)
_MAC_SIZE = const(16)
_BLOCK = const(64)


class SealError(ValueError):
    # reason: "form" (not a sealed payload), "epoch", "kind" (freshness not allowed there) or
    # "mac". Nobody outside should be told which; it is for counters and logs.
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Keys:
    # The keys of one device, derived from its 32-byte secret: one per label. former: the keys of the
    # epoch before, with which the cache was made that is there until a new one has come.
    former: "Keys | None" = None

    def __init__(self, device: str, secret: bytes, epoch: int = 1) -> None:
        if len(secret) != _KEY_SIZE:
            raise ValueError("device key: need 32 bytes")
        if not topics.is_id(device):
            raise ValueError("device id: 1 to 32 of A-Z a-z 0-9 _ -")
        self.device = device
        self.epoch = epoch
        self._secret = secret

    def derive(self, label: str) -> bytes:
        return _hmac(self._secret, [("dw1|" + label + "|" + str(self.epoch)).encode()])

    def mac(self, label: str, parts: "list[bytes]") -> bytes:
        # The full 32-byte HMAC of parts under the key of label. Derived anew every time: that is
        # four more compressions in C, and a dozen labels would fill kilobytes of a board's heap.
        return _hmac(self.derive(label), parts)


def _hmac(key: bytes, parts: "list[bytes]") -> bytes:
    # HMAC-SHA256 with a 32-byte key. Pads a whole block at once: integers xor in C.
    block = int.from_bytes(key + bytes(_BLOCK - _KEY_SIZE), "big")
    inner = hashlib.sha256(
        (block ^ int.from_bytes(b"\x36" * _BLOCK, "big")).to_bytes(_BLOCK, "big")
    )
    for part in parts:
        inner.update(part)
    outer = hashlib.sha256(
        (block ^ int.from_bytes(b"\x5c" * _BLOCK, "big")).to_bytes(_BLOCK, "big")
    )
    outer.update(inner.digest())
    return outer.digest()


class Sealed:
    # A payload taken apart. From open_sealed() it is verified; from split() it is not.
    def __init__(self, body: bytes, epoch: int, freshness: str, mac: bytes) -> None:
        self.body = body
        self.epoch = epoch
        self.freshness = freshness
        self.mac = mac


def seal(keys: Keys, suffix: str, freshness: str, body: bytes, extra: bytes = b"") -> bytes:
    # body + line feed + seal line. extra: bytes that both sides know and that are not sent
    # (the log digest of an event). Raises SealError("kind") if the leaf takes no such freshness.
    mac = _mac(keys, suffix, freshness, body, extra)
    line = "\ndw1 " + str(keys.epoch) + " " + freshness + " "
    return body + line.encode() + binascii.hexlify(mac)


def split(payload: bytes) -> Sealed:
    # Takes a payload apart at its last line feed. Nothing is verified, nothing is parsed.
    cut = payload.rfind(b"\n")
    if cut < 0 or len(payload) > MAX_PAYLOAD:
        raise SealError("form")
    try:
        magic, epoch, freshness, mac = payload[cut + 1 :].decode().split(" ")
    except ValueError:
        raise SealError("form")
    if magic != "dw1":
        raise SealError("form")
    return Sealed(payload[:cut], _number(epoch), freshness, _unhex(mac, _MAC_SIZE))


def open_sealed(keys: Keys, suffix: str, payload: bytes, extra: bytes = b"") -> Sealed:
    # The verified parts of a payload that arrived on this leaf; raises SealError.
    # Whether it is fresh is for the caller to judge: only the caller knows its nonces.
    sealed = split(payload)
    if sealed.epoch != keys.epoch:
        raise SealError("epoch")
    mac = _mac(keys, suffix, sealed.freshness, sealed.body, extra)
    if not same(mac, sealed.mac):
        raise SealError("mac")
    return sealed


def _mac(keys: Keys, suffix: str, freshness: str, body: bytes, extra: bytes) -> bytes:
    label = topics.label(suffix, freshness[:1])
    if label is None:
        raise SealError("kind")
    parts: "list[bytes]" = []
    for field in (label.encode(), keys.device.encode(), suffix.encode(), freshness.encode(), body):
        parts += [len(field).to_bytes(2, "big"), field]
    if extra:
        parts += [len(extra).to_bytes(2, "big"), extra]
    return keys.mac(label, parts)[:_MAC_SIZE]


def nonce_word(nonce: bytes) -> str:
    return "n:" + binascii.hexlify(nonce).decode()


def session_word(boot: bytes, number: int) -> str:
    return "s:" + binascii.hexlify(boot).decode() + "." + str(number)


def event_word(epoch: str, seq: int) -> str:
    return "e:" + epoch + "." + str(seq)


def parse_freshness(word: str) -> "tuple[str, bytes | int | str, int]":
    # ("n", nonce, 0) | ("s", boot nonce, n) | ("c", n, 0) | ("e", log epoch, seq).
    # One spelling only: upper case, leading zeros and signs are refused, or a nonce would have
    # many names. Raises SealError("form").
    kind = word[:2]
    rest = word[2:]
    if kind == "n:":
        return "n", _unhex(rest, NONCE_SIZE), 0
    if kind == "c:":
        return "c", _number(rest), 0
    head, _dot, tail = rest.partition(".")
    if kind == "s:":
        return "s", _unhex(head, BOOT_SIZE), _number(tail)
    if kind == "e:" and _unhex(head, 4):
        return "e", head, _number(tail)
    raise SealError("form")


def encrypt_uid(keys: Keys, nonce: bytes, uid: bytes) -> bytes:
    # One AES-128-CBC block: length, UID, zeros; IV is the request's nonce. Keeps who reads the
    # broker from cloning cards. It is no authentication: the request's seal is.
    if not 0 < len(uid) <= _MAX_UID:
        raise ValueError("uid: need 1 to 10 bytes")
    block = bytes([len(uid)]) + uid + bytes(15 - len(uid))
    return aes_cbc(keys.derive("uid")[:16], nonce).encrypt(block)


def tag(keys: Keys, uid: bytes) -> bytes:
    # The 12 bytes by which this device's cache and log know a UID. The length is hashed too, so
    # that a 7-byte UID never aliases a 4-byte one that starts alike.
    return keys.mac("uid", [bytes([len(uid)]), uid])[:12]


def chain(previous: bytes, epoch: str, seq: int, body: bytes) -> bytes:
    # The log digest after this event: d_n = SHA-256(d_(n-1) | epoch.seq | body)[:16].
    digest = hashlib.sha256(previous)
    digest.update((epoch + "." + str(seq)).encode())
    digest.update(body)
    return digest.digest()[:16]


def _unhex(text: str, size: int) -> bytes:
    # Exactly size bytes, in lower case.
    try:
        data = binascii.unhexlify(text)
    except ValueError:
        raise SealError("form")
    if len(data) != size or binascii.hexlify(data).decode() != text:
        raise SealError("form")
    return data


def _number(text: str) -> int:
    # A decimal in its one spelling, at most 2**53: JSON tools elsewhere lose more.
    try:
        number = int(text[:17])
    except ValueError:
        raise SealError("form")
    if number < 0 or len(text) > 16 or str(number) != text:
        raise SealError("form")
    return number
