"""A signer behind a socket: it says what the one in our own process would, or that it cannot, and never nothing."""

import inspect
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorward import local_socket
from doorward.app.signer_ports import CacheFile, FirmwareSigner, Notary, Registrar
from doorward.app.signer_ports import Signer as SignerPort
from doorward.errors import (
    Conflict,
    InvalidInput,
    SigningUnavailable,
    StartupError,
    Unavailable,
    UnknownDevice,
)
from doorward.signer import Signer, calls, remote
from doorward.signer.frames import LONGEST, Frames
from doorward.signer.process import SignerServer
from doorward.signer.remote import RemoteSigner
from doorward_core import seal
from doorward_core.seal import SealError

NONCE = bytes(range(16))
UID = bytes.fromhex("04a1b2c3d4e5f6")


class Running:
    """A signer that serves, on a thread instead of in a process."""

    def __init__(self, signer: Signer, path: Path, allowed: set[int] | None = None) -> None:
        uids = {os.geteuid()} if allowed is None else allowed
        self.server = SignerServer(signer, local_socket.listen(path), uids)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()

    def stop(self) -> None:
        self.server.close()
        self.thread.join()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s"


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path / "keys")


@pytest.fixture
def running(signer: Signer, path: Path) -> Iterator[Running]:
    running = Running(signer, path)
    yield running
    running.stop()


@pytest.fixture
def asked(running: Running, path: Path) -> Iterator[RemoteSigner]:
    asked = RemoteSigner(path)
    yield asked
    asked.close()


def test_it_says_what_the_signer_says(signer: Signer, asked: RemoteSigner) -> None:
    adoption = asked.adopt("front")
    keys = seal.Keys("front", bytes.fromhex(adoption.key), adoption.epoch)
    word = seal.nonce_word(NONCE)
    request = seal.seal(keys, "access/request", word, b'{"a":1}', b"\xff\x00")
    opened = asked.verify("front", "access/request", request, b"\xff\x00")
    assert (opened.body, opened.epoch, opened.freshness) == (b'{"a":1}', 1, word)
    block = seal.encrypt_uid(keys, NONCE, UID)
    assert asked.decrypt_uid("front", NONCE, block) == UID
    assert asked.tags("front", UID) == signer.tags("front", UID)
    assert asked.seal("front", "config", "c:1", b"{}") == signer.seal(
        "front", "config", "c:1", b"{}"
    )
    contents = CacheFile(1, 10, 20, 30, [(0, 127, 0, 1440, 0)], [(None, 5, 1)], [(UID, 0, 0)])
    assert asked.build_cache("front", contents) == signer.build_cache("front", contents)
    assert asked.devices() == ("front",)
    assert asked.digests() == signer.digests()
    assert asked.serial("front") == adoption.serial
    assert asked.serial("ghost") is None
    user = asked.certify_user("ann")
    assert asked.serial("ann") == user.serial
    assert user.authority == asked.certificate()
    asked.forget_user("ann")
    assert asked.serial("ann") is None
    assert asked.certificate() == signer.certificate()
    assert asked.certify_server(["door.local"]).certificate.startswith(b"-----BEGIN CERT")
    assert asked.epoch("front") == 1
    assert asked.next_key("front", NONCE) == signer.next_key("front", NONCE)
    assert asked.head() is None
    asked.anchor(7, bytes(32), signed=True)
    assert asked.head() == signer.head()
    assert asked.anchors() == signer.anchors() != ()
    assert asked.sign_export(bytes(32)).certificates == asked.audit_certificates()
    assert asked.sign_firmware(bytes(32)) == signer.sign_firmware(bytes(32))
    assert asked.firmware_key() == signer.firmware_key()
    assert not asked.is_revoked(adoption.serial)
    asked.forget("front")
    assert asked.is_revoked(adoption.serial)
    assert asked.crl() == signer.crl()


def test_it_can_be_asked_all_that_the_ports_name_and_nothing_else() -> None:
    named = {
        name
        for port in (SignerPort, Registrar, Notary, FirmwareSigner)
        for name, _ in inspect.getmembers(port, inspect.isfunction)
        if not name.startswith("_")
    }
    known = {call.name for call in vars(calls).values() if isinstance(call, calls.Call)}
    assert known == named
    offered = {
        name
        for name, _ in inspect.getmembers(RemoteSigner, inspect.isfunction)
        if not name.startswith("_")
    }
    assert offered == named | {"wait", "close"}


def test_errors_come_through_as_they_are(asked: RemoteSigner) -> None:
    with pytest.raises(SealError) as refused:
        asked.verify("ghost", "access/request", b"{}\ndw1 1 n:00 00")
    assert refused.value.reason == "mac"
    with pytest.raises(UnknownDevice, match=r"ghost has no key here; restore .*/ghost\.key"):
        asked.seal("ghost", "config", "c:1", b"{}")
    with pytest.raises(InvalidInput, match="no device id") as wrong:
        asked.adopt("../x")
    assert wrong.value.field == "device"
    asked.anchor(5, bytes(32))
    with pytest.raises(Conflict):
        asked.anchor(4, bytes(32))
    asked.adopt("front")
    with pytest.raises(ValueError, match="Invalid IV size"):
        asked.decrypt_uid("front", b"short", bytes(16))


@pytest.mark.parametrize(
    "question",
    [
        b"",
        b'enrol ["front"]',
        b"enrolments []",
        b'__init__ ["/"]',
        b"_authority []",
        b"\xff\xfe []",
        b"seal",
        b"seal []",
        b"seal [1,2,3,4,5]",
        b'seal ["front","config","c:1","e30=","","more"]',
        b"adopt [[[[[[[[[",
        b'tags ["front", "not base64!"]',
    ],
)
def test_what_is_no_question_is_refused_and_the_next_one_is_answered(
    running: Running, path: Path, question: bytes
) -> None:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(5)
    sock.connect(str(path))
    frames = Frames(sock)
    frames.send(question)
    with pytest.raises(InvalidInput):
        calls.DEVICES.read(frames.receive())
    frames.send(calls.DEVICES.ask())
    assert calls.DEVICES.read(frames.receive()) == ()
    frames.close()


def test_a_frame_that_is_too_long_ends_the_connection_alone(
    running: Running, path: Path, asked: RemoteSigner
) -> None:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(5)
    sock.connect(str(path))
    sock.sendall((LONGEST + 1).to_bytes(4, "big") + b"x")
    with pytest.raises(ConnectionError):
        Frames(sock).receive()
    sock.close()
    assert asked.devices() == ()


def test_a_fault_of_the_signer_is_said_to_be_one(
    asked: RemoteSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: Signer) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(Signer, "devices", broken)
    monkeypatch.setattr(calls.DEVICES, "patience_s", 60.0)  # the log of the test paints a picture
    with pytest.raises(Unavailable, match=r"^signing failed; look at the signer's log$"):
        asked.devices()


def test_nobody_else_is_answered(signer: Signer, path: Path) -> None:
    running = Running(signer, path, {os.geteuid() + 1})
    try:
        with pytest.raises(SigningUnavailable, match="signing unavailable"):
            RemoteSigner(path).devices()
    finally:
        running.stop()


def test_it_goes_on_when_the_signer_was_restarted(signer: Signer, path: Path) -> None:
    asked, first = RemoteSigner(path), Running(signer, path)
    asked.adopt("front")
    first.stop()
    with pytest.raises(
        SigningUnavailable, match=r"signing unavailable: .*; start `doorward signer`"
    ):
        asked.devices()
    second = Running(signer, path)
    assert asked.devices() == ("front",)
    second.stop()
    third = Running(signer, path)
    assert asked.devices() == ("front",), "also when it never heard of the restart"
    asked.close()
    third.stop()


def test_one_that_is_silent_costs_a_second_and_then_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls.DEVICES, "patience_s", 0.1)
    listener = local_socket.listen(path)
    asked = RemoteSigner(path)
    started = time.monotonic()
    with pytest.raises(SigningUnavailable, match="it does not answer"):
        asked.devices()
    waited = time.monotonic() - started
    assert waited >= 0.1
    started = time.monotonic()
    for _ in range(100):
        with pytest.raises(SigningUnavailable, match="did not answer a moment ago"):
            asked.devices()
    assert time.monotonic() - started < 100 * 0.1, "not one of them waited"
    listener.close()


def test_an_answer_that_comes_late_is_not_taken_for_the_next(
    signer: Signer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first question times out while the signer is busy; its answer must never be somebody else's."""
    monkeypatch.setattr(calls.CRL, "patience_s", 0.1)
    monkeypatch.setattr(remote, "_PAUSE_S", 0.0)
    crl = Signer.crl

    def slow(self: Signer) -> bytes:
        time.sleep(0.4)
        return crl(self)

    monkeypatch.setattr(Signer, "crl", slow)
    running, asked = Running(signer, path), RemoteSigner(path)
    asked.devices()
    with pytest.raises(SigningUnavailable):
        asked.crl()
    monkeypatch.setattr(remote, "_PAUSE_S", 2.0)
    time.sleep(0.5)
    assert asked.certificate() == signer.certificate()
    asked.close()
    running.stop()


def test_many_threads_ask_at_once_and_each_gets_its_own_answer(
    signer: Signer, asked: RemoteSigner
) -> None:
    for device in ("front", "back", "vault", "lamp"):
        asked.adopt(device)
    wrong: list[object] = []

    def ask(device: str) -> None:
        expected = signer.tags(device, UID)
        wrong.extend(device for _ in range(200) if asked.tags(device, UID) != expected)

    threads = [threading.Thread(target=ask, args=(device,)) for device in signer.devices()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_it_waits_for_a_signer_that_starts_a_little_later(signer: Signer, path: Path) -> None:
    asked = RemoteSigner(path)
    with pytest.raises(SigningUnavailable):
        asked.wait(0.0)
    started: list[Running] = []
    timer = threading.Timer(0.2, lambda: started.append(Running(signer, path)))
    timer.start()
    asked.wait(10.0)
    timer.join()
    asked.close()
    started[0].stop()


def test_a_socket_is_for_its_owner_or_for_a_group(tmp_path: Path) -> None:
    own, shared = tmp_path / "own", tmp_path / "shared"
    listeners = [local_socket.listen(own), local_socket.listen(shared, group=os.getegid())]
    assert own.stat().st_mode & 0o777 == 0o600
    assert shared.stat().st_mode & 0o777 == 0o660
    for listener in listeners:
        listener.close()
    with pytest.raises(StartupError, match=r"cannot listen on .*/none/s"):
        local_socket.listen(tmp_path / "none" / "s")
