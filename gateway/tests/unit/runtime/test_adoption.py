"""Where boards are told to find the broker, and how they are wired."""

import pytest

from doorward.adapters.boards import DEFAULT, load_profile
from doorward.app.devices.files import BrokerAddress
from doorward.data import data_root
from doorward.errors import InvalidInput, NotFound
from doorward.runtime import adoption
from doorward.runtime.adoption import broker_address

LISTENS = BrokerAddress("10.0.0.2", 8883, "school")


@pytest.mark.parametrize(
    ("told", "host", "port"),
    [
        (None, "10.0.0.2", 8883),
        ("192.168.1.5", "192.168.1.5", 8883),
        ("192.168.1.5:1883", "192.168.1.5", 1883),
        ("gateway.local", "gateway.local", 8883),
        ("door-1.school.example:1883", "door-1.school.example", 1883),
    ],
)
def test_what_is_told_counts(told: str | None, host: str, port: int) -> None:
    assert broker_address(told, LISTENS) == BrokerAddress(host, port, "school")


@pytest.mark.parametrize(
    "told",
    [
        *("", "gateway", "a..b", "-a.lan", "a_b.lan", "a.lan.", "a." * 127 + "lan"),
        *("1.2.3", "1.2.3.256", "::1", "1.2.3.4:0", "1.2.3.4:65536", "1.2.3.4:x"),
    ],
)
def test_what_is_no_address_is_refused(told: str) -> None:
    assert broker_address("1.2.3.4:", LISTENS).port == LISTENS.port
    with pytest.raises(InvalidInput) as wrong:
        broker_address(told, LISTENS)
    assert wrong.value.field == "broker"


def test_who_listens_everywhere_tells_the_address_that_others_reach(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adoption, "_own_address", lambda: "192.168.7.1")
    assert broker_address(None, BrokerAddress("0.0.0.0", 8883)).host == "192.168.7.1"


def test_a_profile_that_there_is_not_names_those_that_there_are() -> None:
    folder = data_root() / "boards"
    assert load_profile(folder, DEFAULT).pins["strike"]["pin"] == 25
    for name in ("none", f"../boards/{DEFAULT}", ""):
        with pytest.raises(NotFound, match=DEFAULT):
            load_profile(folder, name)
