"""What holds for every life of a lockout, power cuts between any two steps among them."""

from hypothesis import given
from hypothesis import strategies as st

from doorward_core import backoff, lockout
from doorward_core.compat import ticks_add

START = (1 << 30) - 500
MEMBER = b"\x04\xa1\xb2\xc3"
STRANGERS = 8  # fewer than these between a member's two taps

pauses = st.integers(0, 40_000)
holds = st.sampled_from((lockout.CLASSIC_MS, None))


class Vault:
    """A board with a flash: what `persist` wrote is all that a power cut leaves."""

    def __init__(self, hold_ms: int | None) -> None:
        self.hold_ms = hold_ms
        self.now = START
        self.written = (0, False)
        self.looked_at = 0  # since somebody was let in, or it was released
        self.boot()

    def boot(self) -> None:
        self.state = lockout.start(*self.written, self.now, self.hold_ms)

    def step(self, event: str, *, cut: bool = False) -> list[str]:
        self.state, effects = lockout.step(self.state, event, self.now, self.hold_ms)
        if "persist" in effects:
            if cut:
                self.boot()
                return []
            self.written = (self.state.attempts, self.state.phase == "held")
        if cut:
            self.boot()
        return effects

    def attempt(self, *, right: bool, cut: str) -> None:
        if "persist" not in self.step("attempt", cut=cut == "charge"):
            return
        if cut == "look":
            self.looked_at += 1
            self.boot()
            return
        self.looked_at += 1
        if right:
            self.looked_at = 0
        self.step("granted" if right else "refused", cut=cut == "verdict")


attempts = st.tuples(
    st.just("attempt"), st.booleans(), st.sampled_from(("", "charge", "look", "verdict"))
)
orders = st.tuples(st.sampled_from(("lockout", "tick", "boot")), st.booleans(), st.just(""))


@given(holds, st.lists(st.tuples(pauses, st.one_of(attempts, attempts, orders)), max_size=80))
def test_nobody_ever_gets_more_than_six_tries(
    hold_ms: int | None, life: list[tuple[int, tuple[str, bool, str]]]
) -> None:
    vault = Vault(hold_ms)
    for pause, (event, right, cut) in life:
        vault.now = ticks_add(vault.now, pause)
        if event == "attempt":
            vault.attempt(right=right, cut=cut)
        elif event == "boot":
            vault.boot()
        elif "lockout.cleared" in vault.step(event, cut=right):
            vault.looked_at = 0  # thirty seconds have passed
        assert vault.looked_at <= lockout.LIMIT + 1


@given(holds, st.integers(0, 6), st.booleans(), st.lists(pauses, max_size=20))
def test_a_hold_lasts_until_it_is_over_whatever_is_tried(
    hold_ms: int | None, written: int, held: bool, life: list[int]
) -> None:
    vault = Vault(hold_ms)
    vault.written = (written, held)
    vault.boot()
    if vault.state.phase != "held":
        return
    waited = 0
    for pause in life:
        vault.now, waited = ticks_add(vault.now, pause), waited + pause
        for event in ("attempt", "granted", "refused", "lockout"):
            assert vault.step(event) == []
        vault.step("tick")
        over = hold_ms is not None and waited >= hold_ms
        assert (vault.state.phase == "open") == over
        if over:
            return


credentials = st.integers(0, 999).map(lambda number: b"\x08" + number.to_bytes(3, "big"))
taps = st.lists(st.tuples(st.integers(50, 90_000), credentials), max_size=120)


@given(taps, st.lists(st.tuples(st.integers(50, 5_000), credentials), max_size=STRANGERS - 1))
def test_junk_delays_a_member_by_one_tap_at_most(
    before: list[tuple[int, bytes]], between: list[tuple[int, bytes]]
) -> None:
    state, now = backoff.START, START

    def tap(credential: bytes, pause: int) -> bool:
        nonlocal state, now
        now = ticks_add(now, pause)
        state, _ = backoff.step(state, "tick", b"", now)
        state, effects = backoff.step(state, "show", credential, now)
        if "check" not in effects:
            return False
        verdict = "granted" if credential == MEMBER else "refused"
        state, _ = backoff.step(state, verdict, credential, now)
        return True

    for pause, credential in before:
        tap(credential, pause)
    if not tap(MEMBER, 600):
        for pause, credential in between:
            tap(credential, pause)
        assert tap(MEMBER, 600)
        assert tap(MEMBER, 600)
    assert len(state[3]) <= STRANGERS


@given(st.lists(st.tuples(st.integers(50, 5_000), credentials), min_size=10, max_size=200))
def test_after_five_refusals_no_guess_is_looked_at_the_first_time(
    guesses: list[tuple[int, bytes]],
) -> None:
    state, now, looked_at = backoff.START, START, 0
    for pause, credential in guesses:
        now = ticks_add(now, pause)
        state, effects = backoff.step(state, "show", credential, now)
        if "check" in effects:
            looked_at += 1
            state, _ = backoff.step(state, "refused", credential, now)
    # The first five, and from then on what was shown before.
    repeated = len(guesses) - len({credential for _, credential in guesses})
    assert looked_at <= 5 + repeated
