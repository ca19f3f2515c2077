"""Writes `host_tests/vectors/*.json` with the second implementation: run it when the protocol gets a new version."""

import json
from pathlib import Path

import second_seal as second

SECRET = bytes(range(32))
OTHER_SECRET = bytes(range(32, 64))
NONCE = bytes(range(0x40, 0x50))
BOOT = bytes(range(0x60, 0x68))
FOLDER = Path(__file__).parent / "vectors"

SEALED = [
    ("up.request", "access/request", "n:" + NONCE.hex(), b'{"method":"rfid"}', b""),
    ("up.request", "time/request", "n:" + NONCE.hex(), b"{}", b""),
    ("up.event", "telemetry/events", "e:0a1b2c3d.7", b'{"type":"boot"}', bytes(range(16))),
    ("up.state", "status/reported", f"s:{BOOT.hex()}.3", b'{"lock":"locked"}', b""),
    ("up.state", "status/heartbeat", f"s:{BOOT.hex()}.4", b'{"uptime":1}', b""),
    ("up.hello", "status/online", f"s:{BOOT.hex()}.1", b'{"v":1}', b""),
    ("up.ack", "commands/ack", f"s:{BOOT.hex()}.5", b'{"command_id":"c1","result":"done"}', b""),
    ("down.answer", "access/response", "n:" + NONCE.hex(), b'{"access_granted":true}', b""),
    ("down.time", "time/response", "n:" + NONCE.hex(), b'{"utc":1795257000}', b""),
    ("down.release", "commands/control", "n:" + NONCE.hex(), b'{"command":"unlock"}', b""),
    (
        "down.control",
        "commands/control",
        f"s:{BOOT.hex()}.1795257000000",
        b'{"command":"lock"}',
        b"",
    ),
    ("down.ack", "telemetry/ack", f"s:{BOOT.hex()}.9", b'{"epoch":"0a1b2c3d","seq":7}', b""),
    ("down.config", "config", "c:12", b'{"cache_version":12}', b""),
    ("down.cache", "commands/config", "c:12", b'{"offset":0}', b""),
    ("down.firmware", "commands/firmware", "c:2", b'{"firmware":"0.2.0"}', b""),
    ("up.discovery", "discovery/register", f"s:{BOOT.hex()}.1", b'{"claim":"00"}', b""),
    ("down.discovery", "discovery/response", f"s:{BOOT.hex()}.6", b'{"status":"approved"}', b""),
    ("up.request", "access/request", "n:" + NONCE.hex(), '{"name":"Ünïcode\\n"}\n\n'.encode(), b""),
    ("up.request", "access/request", "n:" + NONCE.hex(), b"", b""),
    ("down.rekey", "commands/rekey", "n:" + NONCE.hex(), b'{"command":"rekey"}', b""),
]


def seals() -> list[dict[str, object]]:
    """Sealed payloads of every label, with two keys and two key epochs."""
    rows = []
    for index, (label, suffix, word, body, extra) in enumerate(SEALED):
        secret, epoch = (SECRET, 1) if index % 2 == 0 else (OTHER_SECRET, 2)
        payload = second.seal(secret, epoch, label, "front", suffix, word, body, extra)
        rows.append(
            {
                "secret": secret.hex(),
                "epoch": epoch,
                "device": "front",
                "label": label,
                "suffix": suffix,
                "freshness": word,
                "body": body.hex(),
                "extra": extra.hex(),
                "payload": payload.hex(),
            }
        )
    return rows


def cards() -> list[dict[str, object]]:
    """UIDs of every length as they travel and as they are kept."""
    uids = ["a1b2c3d4", "04a1b2c3d4e5f6", "04a1b2c3d4e5f7", "04a1b2c3", "08112233445566778899"]
    return [
        {
            "secret": SECRET.hex(),
            "epoch": 1,
            "nonce": NONCE.hex(),
            "uid": uid,
            "block": second.encrypt_uid(SECRET, 1, NONCE, bytes.fromhex(uid)).hex(),
            "tag": second.tag(SECRET, 1, bytes.fromhex(uid)).hex(),
        }
        for uid in uids
    ]


def key() -> dict[str, object]:
    """The next device key as it travels."""
    wrapped = second.encrypt_key(SECRET, 3, NONCE, OTHER_SECRET)
    return {
        "secret": SECRET.hex(),
        "epoch": 3,
        "nonce": NONCE.hex(),
        "next": OTHER_SECRET.hex(),
        "wrapped": wrapped.hex(),
    }


def log() -> list[dict[str, object]]:
    """A log of three events and its digests."""
    rows = []
    digest = bytes(16)
    for seq, body in enumerate([b'{"type":"boot"}', b'{"type":"door.open"}', b""], start=1):
        digest = second.chain(digest, "0a1b2c3d", seq, body)
        rows.append({"epoch": "0a1b2c3d", "seq": seq, "body": body.hex(), "digest": digest.hex()})
    return rows


def cache() -> dict[str, object]:
    """A credential cache with two groups, a holiday, four people and four cards."""
    uids = ["a1b2c3d4", "04a1b2c3d4e5f6", "08112233445566778899", "0badcafe"]
    windows = [(1, 2, 0x7F, 0, 1440), (2, 1, 0x1F, 1020, 1320), (2, 1, 0x20, 600, 720)]
    holidays = [(9855, 9856), (9862, 9862)]
    persons = [(0xFFFF, 0xFFFF, 0), (9000, 9999, 0), (0xFFFF, 0xFFFF, 1), (9800, 0xFFFF, 0)]
    records = sorted(
        (second.tag(SECRET, 1, bytes.fromhex(uid)), number, 2 - number % 2)
        for number, uid in enumerate(uids)
    )
    times = (12, 1795257000, 1795516200, 1797849000)
    file = second.cache(SECRET, 1, "front", times, windows, holidays, persons, records)
    return {
        "secret": SECRET.hex(),
        "epoch": 1,
        "device": "front",
        "times": times,
        "uids": uids,
        "windows": windows,
        "holidays": holidays,
        "persons": persons,
        "file": file.hex(),
    }


def main() -> None:
    """Writes every vector file."""
    FOLDER.mkdir(exist_ok=True)
    files = {"seal": seals(), "card": cards(), "key": key(), "log": log(), "cache": cache()}
    for name, content in files.items():
        path = FOLDER / f"{name}.json"
        path.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
