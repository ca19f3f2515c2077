"""How far the audit went: remembered cheaply, signed now and then, and checked by anybody with the CA certificate."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from doorward.app.audit import proofs
from doorward.app.trust import AuditHead, ExportSignature
from doorward.errors import Conflict, InvalidInput, KeyFileError
from doorward.signer import Signer


def _row(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


def _filled(directory: Path, rows: int = 2500, step: int = 7) -> Signer:
    signer = Signer(directory)
    for count in (*range(step, rows, step), rows):
        signer.anchor(count, _row(count))
    return signer


def test_the_head_is_the_last_that_was_told_also_for_the_next_process(tmp_path: Path) -> None:
    signer = Signer(tmp_path)
    assert signer.head() is None
    for count in (1, 2, 3, 50):
        signer.anchor(count, _row(count))
        assert signer.head() == AuditHead(count, _row(count))
        assert Signer(tmp_path).head() == AuditHead(count, _row(count))
    assert signer.anchors() == ()
    assert (tmp_path / "audit.head").stat().st_mode & 0o777 == 0o600


def test_every_thousand_rows_and_on_demand_there_is_a_signed_anchor(tmp_path: Path) -> None:
    signer = _filled(tmp_path)
    assert [anchor.count for anchor in signer.anchors()] == [1001, 2002]
    signer.anchor(2500, _row(2500), signed=True)
    signer = Signer(tmp_path)
    signer.anchor(2501, _row(2501))
    signer.anchor(3000, _row(3000))
    anchors = signer.anchors()
    assert [anchor.count for anchor in anchors] == [1001, 2002, 2500, 3000]
    for anchor in anchors:
        proofs.check_anchor(anchor, signer.audit_certificates(), signer.certificate())
        assert not anchor.restored
        assert anchor.digest == _row(anchor.count)


@pytest.mark.parametrize(
    "change",
    [{"count": 1002}, {"digest": bytes(32)}, {"at_ms": 1}, {"restored": True}, {"signature": b"x"}],
)
def test_an_anchor_that_was_changed_does_not_verify(
    tmp_path: Path, change: dict[str, object]
) -> None:
    signer = _filled(tmp_path, 1100)
    anchor = signer.anchors()[0]
    chain = signer.audit_certificates()
    proofs.check_anchor(anchor, chain, signer.certificate())
    with pytest.raises(InvalidInput, match="the signature does not fit"):
        proofs.check_anchor(replace(anchor, **change), chain, signer.certificate())  # type: ignore[arg-type]


def test_an_audit_that_was_cut_or_rewritten_cannot_go_on_unnoticed(tmp_path: Path) -> None:
    _filled(tmp_path, 50)
    for signer in (Signer(tmp_path), Signer(tmp_path)):
        with pytest.raises(Conflict, match="the audit has 49 rows, and it had 50 before"):
            signer.anchor(49, _row(49))
        with pytest.raises(Conflict, match="row 50 of the audit is not what it was"):
            signer.anchor(50, bytes(32))
        signer.anchor(50, _row(50))
        assert signer.head() == AuditHead(50, _row(50))


def test_a_restored_audit_goes_on_and_that_is_on_record(tmp_path: Path) -> None:
    signer = _filled(tmp_path, 1500)
    signer.anchor(700, _row(700), restored=True)
    assert Signer(tmp_path).head() == AuditHead(700, _row(700))
    last = signer.anchors()[-1]
    assert (last.count, last.restored) == (700, True)
    proofs.check_anchor(last, signer.audit_certificates(), signer.certificate())
    signer.anchor(1001, _row(1001))
    assert [anchor.count for anchor in signer.anchors()] == [1001, 700, 1001]


@pytest.mark.parametrize(("count", "digest"), [(-1, bytes(32)), (1, bytes(31)), (1, b"")])
def test_only_a_number_and_a_digest_are_an_anchor(
    tmp_path: Path, count: int, digest: bytes
) -> None:
    with pytest.raises(InvalidInput):
        Signer(tmp_path).anchor(count, digest)


@pytest.mark.parametrize("slot", [0, 512])
def test_a_record_that_was_half_written_costs_one_commit_at_most(tmp_path: Path, slot: int) -> None:
    _filled(tmp_path, 50, 1)
    path = tmp_path / "audit.head"
    content = bytearray(path.read_bytes())
    content[slot + 40 : slot + 60] = bytes(20)
    path.write_bytes(content)
    signer = Signer(tmp_path)
    assert signer.head() == AuditHead(49 if slot == 0 else 50, _row(49 if slot == 0 else 50))
    signer.anchor(51, _row(51))
    assert Signer(tmp_path).head() == AuditHead(51, _row(51))


def test_an_anchor_outlives_a_head_that_never_reached_the_disk(tmp_path: Path) -> None:
    _filled(tmp_path, 1500)
    early = (tmp_path / "audit.head").read_bytes()
    signer = Signer(tmp_path)
    signer.anchor(2003, _row(2003))
    (tmp_path / "audit.head").write_bytes(early)
    assert Signer(tmp_path).head() == AuditHead(2003, _row(2003))
    (tmp_path / "audit.head").write_bytes(bytes(1024))
    assert Signer(tmp_path).head() == AuditHead(2003, _row(2003))
    (tmp_path / "audit.head").unlink()
    assert Signer(tmp_path).head() == AuditHead(2003, _row(2003))


def test_a_line_that_the_power_cut_off_is_no_anchor_and_not_in_the_way(tmp_path: Path) -> None:
    signer = _filled(tmp_path, 1500)
    path = tmp_path / "audit.anchors"
    path.write_bytes(path.read_bytes() + b'{"count":2000,"dig')
    assert [anchor.count for anchor in signer.anchors()] == [1001]
    signer = Signer(tmp_path)
    signer.anchor(2000, _row(2000))
    assert [anchor.count for anchor in Signer(tmp_path).anchors()] == [1001, 2000]


def _scramble(path: Path) -> None:
    path.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _spoil(path: Path) -> None:
    path.write_bytes(b"{}\n" + path.read_bytes())


@pytest.mark.parametrize(
    ("name", "harm", "said"),
    [
        ("audit.head", _scramble, r"audit\.head is damaged; restore"),
        ("audit.anchors", _empty, r"audit\.anchors has 0 anchors, it had 1; restore"),
        ("audit.anchors", Path.unlink, r"audit\.anchors has 0 anchors, it had 1; restore"),
        ("audit.anchors", _spoil, r"audit\.anchors is damaged; restore"),
    ],
)
def test_files_that_are_not_what_was_written_are_named(
    tmp_path: Path, name: str, harm: Callable[[Path], None], said: str
) -> None:
    _filled(tmp_path, 1500)
    harm(tmp_path / name)
    signer = Signer(tmp_path)
    with pytest.raises(KeyFileError, match=said):
        signer.head()
    with pytest.raises(KeyFileError, match=said):
        signer.anchor(1501, _row(1501))


@pytest.mark.parametrize("name", ["audit.head", "audit.anchors"])
def test_what_was_lost_can_begin_anew_when_somebody_says_so(tmp_path: Path, name: str) -> None:
    _filled(tmp_path, 1500)
    _empty(tmp_path / name) if name == "audit.anchors" else _scramble(tmp_path / name)
    signer = Signer(tmp_path)
    signer.anchor(1501, _row(1501), restored=True)
    for known in (signer, Signer(tmp_path)):
        assert known.head() == AuditHead(1501, _row(1501))
        assert known.anchors()[-1].restored
        known.anchor(1501, _row(1501))


@pytest.mark.parametrize("witness", ["audit.head", "audit.anchors"])
def test_a_lost_audit_key_is_not_made_anew(tmp_path: Path, witness: str) -> None:
    _filled(tmp_path, 1500)
    (tmp_path / "audit.pem").unlink()
    (tmp_path / ("audit.head" if witness == "audit.anchors" else "audit.anchors")).unlink()
    with pytest.raises(KeyFileError, match=r"audit\.pem is missing"):
        Signer(tmp_path)


def test_the_audit_key_of_another_site_is_refused(tmp_path: Path) -> None:
    Signer(tmp_path / "here")
    Signer(tmp_path / "there")
    shutil.copy(tmp_path / "there" / "audit.pem", tmp_path / "here" / "audit.pem")
    with pytest.raises(KeyFileError, match=r"audit\.pem is of another authority"):
        Signer(tmp_path / "here")


def test_an_export_verifies_with_the_ca_certificate_alone(tmp_path: Path) -> None:
    signer, other = Signer(tmp_path / "here"), Signer(tmp_path / "there")
    digest = _row(1)
    signed = signer.sign_export(digest)
    proofs.check_export(digest, signed, signer.certificate())
    with pytest.raises(InvalidInput, match="the signature does not fit"):
        proofs.check_export(_row(2), signed, signer.certificate())
    with pytest.raises(InvalidInput, match="not one of this site"):
        proofs.check_export(digest, signed, other.certificate())
    foreign = replace(other.sign_export(digest), certificates=signed.certificates)
    with pytest.raises(InvalidInput, match="the signature does not fit"):
        proofs.check_export(digest, foreign, signer.certificate())
    with pytest.raises(InvalidInput, match="not one of this site"):
        proofs.check_export(digest, replace(signed, certificates=()), signer.certificate())
    with pytest.raises(InvalidInput):
        signer.sign_export(b"short")


def test_no_other_certificate_of_the_site_can_sign_the_audit(tmp_path: Path) -> None:
    """A board or a server has a key of the site too."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    signer = Signer(tmp_path)
    server = signer.certify_server(())
    key = load_pem_private_key(server.private_key, None)
    signature = key.sign(proofs.export_message(_row(1)), proofs.ALGORITHM)  # type: ignore[union-attr,call-arg,arg-type]
    posed = ExportSignature(signature, (server.certificate,))
    with pytest.raises(InvalidInput, match="not for signing the audit"):
        proofs.check_export(_row(1), posed, signer.certificate())


def test_an_anchor_is_no_export(tmp_path: Path) -> None:
    signer = _filled(tmp_path, 1100)
    anchor = signer.anchors()[0]
    posed = ExportSignature(anchor.signature, signer.audit_certificates())
    with pytest.raises(InvalidInput, match="the signature does not fit"):
        proofs.check_export(anchor.digest, posed, signer.certificate())


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on this machine")
def test_openssl_verifies_an_export(tmp_path: Path) -> None:
    signer = Signer(tmp_path)
    signed = signer.sign_export(_row(1))
    certificate = x509.load_pem_x509_certificate(signed.certificates[0])
    public = certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    files = {
        "signer.pem": signed.certificates[0],
        "public.pem": public,
        "signature": signed.signature,
        "message": proofs.export_message(_row(1)),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)

    def openssl(*arguments: str) -> str:
        done = subprocess.run(
            ("openssl", *arguments), cwd=tmp_path, capture_output=True, text=True, check=False
        )
        return done.stdout

    assert openssl("verify", "-CAfile", "ca.crt", "signer.pem") == "signer.pem: OK\n"
    check = ("dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "message")
    assert openssl(*check) == "Verified OK\n"
    (tmp_path / "message").write_bytes(proofs.export_message(_row(2)))
    assert openssl(*check) == "Verification failure\n"


def test_the_head_is_written_without_waiting_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = Signer(tmp_path)
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    for count in range(1, 1000):
        signer.anchor(count, _row(count))
    assert not synced
    signer.anchor(1000, _row(1000))
    assert len(synced) == 3, "the anchor, its directory and the head"
