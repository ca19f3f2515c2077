"""How a board's test of itself looks on its card. Pure, like `looks`."""

from dataclasses import dataclass

from doorward.app.views.boards import SelfTest
from doorward.domain.diagnosis import Finding

_STEPS = {
    "reading": "It looks at itself …",
    "watching": "Pull at the door now, and go on pulling: the lock still holds.",
    "released": "The lock was asked to let go. Does the door open?",
}


@dataclass(frozen=True, slots=True)
class SelfTestLook:
    """The test as its card shows it. marked: changes with the wires that the diagram points at, "" for none."""

    id: str
    word: str
    icon: str
    tone: str
    running: bool
    unsure: bool
    findings: tuple[Finding, ...]
    marked: str


def selftest_look(test: SelfTest | None) -> SelfTestLook | None:
    """How a test looks; None for a board that has not tested itself."""
    if test is None:
        return None
    word, icon, tone = _said(test)
    wires = [wire for finding in test.findings for wire in finding.wires]
    marked = ".".join(finding.code for finding in test.findings) if wires else ""
    return SelfTestLook(test.id, word, icon, tone, test.running, test.unsure, test.findings, marked)


def _said(test: SelfTest) -> tuple[str, str, str]:
    if test.running:
        return _STEPS[test.state], "timer", "info"
    if test.state == "failed":
        note = test.note or "it came to nothing"
        return f"{note[:1].upper()}{note[1:]}.", "alert", "warn"
    if not test.findings:
        looked = len(test.readings)
        return f"All is well: {looked} parts were looked at.", "granted", "good"
    count = len(test.findings)
    return ("One thing to do" if count == 1 else f"{count} things to do"), "alert", "warn"
