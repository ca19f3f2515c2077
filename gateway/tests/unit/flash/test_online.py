"""Why a board did not come online, read from what it prints at its port."""

import pytest

from doorward.flash.online import reason

WAY = {"ssid": "home", "broker": "192.168.1.5:8883", "wait_s": 60.0}
UP = "doorward: wifi: 1010"


@pytest.mark.parametrize(
    ("lines", "why", "remedy"),
    [
        ([], "it says nothing", "reset button"),
        (["hello"], "it has not reached the Wi-Fi home in 60 s", "--wait"),
        (["doorward: wifi: 201"], "there is no Wi-Fi home where it is", "2.4 GHz"),
        (["doorward: wifi: 202"], "the password of the Wi-Fi home is wrong", "--wifi"),
        (["doorward: wifi: 204"], "the password of the Wi-Fi home is wrong", "--wifi"),
        (["doorward: wifi: 203"], "does not let it in", "access point"),
        ([UP], "on the Wi-Fi home, and has not reached 192.168.1.5:8883", "--broker"),
        ([UP, "doorward: broker: 111"], "nobody listens at 192.168.1.5:8883", "start the gateway"),
        ([UP, "doorward: broker: [Errno 118] EHOSTUNREACH"], "does not answer it", "firewall"),
        ([UP, "doorward: broker: 110"], "does not answer it", "firewall"),
        ([UP, "doorward: broker: 104"], "does not take its keys", "--again"),
        ([UP, "doorward: broker: 5"], "does not take its keys", "--again"),
        (
            [UP, "doorward: broker: The certificate is not correctly signed by the trusted CA"],
            "is not this gateway",
            "--broker",
        ),
        (
            [UP, "doorward: broker: The certificate validity has expired"],
            "out of date",
            "clock",
        ),
        ([UP, "Traceback", "ImportError: no module named 'x'"], "ImportError: no module", "report"),
        # What came last counts: it was up, and is not any more.
        (["doorward: wifi: 201", UP, "doorward: broker: 111"], "nobody listens", "start"),
    ],
)
def test_the_reason_is_told_with_the_next_step(lines: list[str], why: str, remedy: str) -> None:
    error = reason(lines, **WAY)  # type: ignore[arg-type]
    assert why in error.problem
    assert remedy in error.remedy
    assert "\n" not in error.message
