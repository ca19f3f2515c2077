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
from doorward_core.compat import aes_cbc_decrypt, aes_cbc_encrypt, const, same

MAX_PAYLOAD = const(1024)
NONCE_SIZE = const(16)
BOOT_SIZE = const(8)
KEY_SIZE = const(32)
MAX_UID = const(10)
CHAIN_START = bytes(16)

_MAGIC = "dw1"
_MAC_SIZE = const(16)
_BLOCK = const(64)
_HEX = "0123456789abcdef"


class SealError(ValueError):
    # reason: "form" (not a sealed payload), "epoch", "kind" (freshness not allowed there) or
    # "mac". Nobody outside should be told which; it is for counters and logs.
    def __init__(self, reason: str) -> None:
        super().__init__("seal refused: " + reason)
        self.reason = reason


class _Hmac:
    # HMAC-SHA256 with both pads hashed once: a tap costs four compressions fewer.
    def __init__(self, key: bytes) -> None:
        key = key + bytes(_BLOCK - len(key))
        self._inner = bytes([byte ^ 0x36 for byte in key])
        self._outer = bytes([byte ^ 0x5C for byte in key])

    def digest(self, parts: "list[bytes]") -> bytes:
        inner = hashlib.sha256(self._inner)
        for part in parts:
            inner.update(part)
        outer = hashlib.sha256(self._outer)
        outer.update(inner.digest())
        return outer.digest()


class Keys:
    # The keys of one device, derived from its 32-byte secret: one per label.
    def __init__(self, device: str, secret: bytes, epoch: int = 1) -> None:
        if len(secret) != KEY_SIZE:
            raise ValueError("device key: need 32 bytes")
        if not topics.is_id(device):
            raise ValueError("device id: 1 to 32 of A-Z a-z 0-9 _ -")
        self.device = device
        self.epoch = epoch
        self._root = _Hmac(secret)
        self._derived: "dict[str, _Hmac]" = {}

    def derive(self, label: str) -> bytes:
        return self._root.digest([(_MAGIC + "|" + label + "|" + str(self.epoch)).encode()])

    def mac(self, label: str, parts: "list[bytes]") -> bytes:
        # The full 32-byte HMAC of parts under the key of label.
        keyed = self._derived.get(label)
        if keyed is None:
            keyed = self._derived[label] = _Hmac(self.derive(label))
        return keyed.digest(parts)


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
    line = "\n" + _MAGIC + " " + str(keys.epoch) + " " + freshness + " "
    return body + line.encode() + binascii.hexlify(mac)


def split(payload: bytes) -> Sealed:
    # Takes a payload apart at its last line feed. Nothing is verified, nothing is parsed.
    cut = payload.rfind(b"\n")
    if cut < 0 or len(payload) > MAX_PAYLOAD:
        raise SealError("form")
    try:
        words = payload[cut + 1 :].decode().split(" ")
    except ValueError:
        raise SealError("form")
    if len(words) != 4 or words[0] != _MAGIC or not _is_number(words[1]):
        raise SealError("form")
    mac = _unhex(words[3], _MAC_SIZE)
    return Sealed(payload[:cut], int(words[1]), words[2], mac)


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
        parts.append(len(field).to_bytes(2, "big"))
        parts.append(field)
    if extra:
        parts.append(len(extra).to_bytes(2, "big"))
        parts.append(extra)
    return keys.mac(label, parts)[:_MAC_SIZE]


def nonce_word(nonce: bytes) -> str:
    return "n:" + binascii.hexlify(nonce).decode()


def session_word(boot: bytes, number: int) -> str:
    return "s:" + binascii.hexlify(boot).decode() + "." + str(number)


def counter_word(number: int) -> str:
    return "c:" + str(number)


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
    if kind == "c:" and _is_number(rest):
        return "c", int(rest), 0
    head, dot, tail = rest.partition(".")
    if dot and _is_number(tail):
        if kind == "s:":
            return "s", _unhex(head, BOOT_SIZE), int(tail)
        if kind == "e:" and len(_unhex(head, 4)) == 4:
            return "e", head, int(tail)
    raise SealError("form")


def encrypt_uid(keys: Keys, nonce: bytes, uid: bytes) -> bytes:
    # One AES-128-CBC block: length, UID, zeros; IV is the request's nonce. Keeps who reads the
    # broker from cloning cards. It is no authentication: the request's seal is.
    if not 0 < len(uid) <= MAX_UID:
        raise ValueError("uid: need 1 to 10 bytes")
    block = bytes([len(uid)]) + uid + bytes(15 - len(uid))
    return aes_cbc_encrypt(keys.derive("uid")[:16], nonce, block)


def decrypt_uid(keys: Keys, nonce: bytes, block: bytes) -> bytes:
    # The UID in a block of encrypt_uid(); raises SealError("form") if there is none.
    if len(block) != 16:
        raise SealError("form")
    plain = aes_cbc_decrypt(keys.derive("uid")[:16], nonce, block)
    size = plain[0]
    if not 0 < size <= MAX_UID or plain[size + 1 :] != bytes(15 - size):
        raise SealError("form")
    return plain[1 : size + 1]


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
    if len(text) != 2 * size:
        raise SealError("form")
    for character in text:
        if character not in _HEX:
            raise SealError("form")
    return binascii.unhexlify(text)


def _is_number(text: str) -> bool:
    # A decimal in its one spelling, at most 2**53: JSON tools elsewhere lose more.
    if not text or len(text) > 16 or (text[0] == "0" and text != "0"):
        return False
    for character in text:
        if character not in "0123456789":
            return False
    return True
