# The board's Wi-Fi: every answer that a driver can give, in time that the test moves.

import machine

machine.air[0] = 0  # nothing is in the air until a test says so

from doorward_node import wifi  # noqa: E402

SETTINGS = {"ssid": "school", "password": "right"}


class Enough(Exception):
    pass


class Time:
    # asyncio for the module under test: sleeping is free, and counted.
    def __init__(self, most_ms):
        self.now = 0
        self._most = most_ms

    async def sleep_ms(self, ms):
        self.now += ms
        if self.now > self._most:
            raise Enough


class Station:
    # says: what status() says, one after the other, the last one for ever; "refuse": connect raises.
    def __init__(self, says):
        self.says = list(says)
        self.done = []
        self.at = 0

    def active(self, on):
        self.done.append("on" if on else "off")

    def config(self, **values):
        if "pm" in values:
            raise ValueError("unknown config param")  # as ports say that lack it
        self.done.append(values)

    def disconnect(self):
        self.done.append("disconnect")
        self.at = wifi.asyncio.now

    def connect(self, ssid, password):
        self.done.append((ssid, password))
        if self.says[0] == "refuse" or wifi.asyncio.now < self.at + 100:
            raise OSError("Wifi Internal Error")

    def status(self, what=None):
        if what:
            raise OSError("Wifi Unknown Error 0x300f")
        return self.says.pop(0) if len(self.says) > 1 else self.says[0]

    def isconnected(self):
        return self.status() == 1010


class Link:
    up = True


async def run(says, ms, link=None):
    # (the station, the Wifi) after so much time.
    made = wifi.Wifi(SETTINGS)
    made._station = Station(says)
    made.link = link
    wifi.asyncio = Time(ms)
    try:
        await made.run()
    except Enough:
        pass
    return made._station, made


async def test_it_waits_between_disconnect_and_connect_and_asks_for_the_reason():
    station, made = await run([1001, 1001, 1010], 5000)
    assert station.done[:3] == ["off", "on", {"reconnects": 0}]
    assert station.done[3:] == ["disconnect", ("school", "right")]
    assert made.status == 1010


async def test_a_driver_that_refuses_is_asked_again_and_nothing_is_raised():
    station, _made = await run(["refuse"], 30000)
    assert station.done.count(("school", "right")) >= 10
    # After eight in a row the radio goes off and on.
    between = station.done.index("off", 1)
    assert station.done[:between].count("disconnect") == 8


async def test_each_reason_ends_the_attempt_at_once():
    for reason in (200, 201, 202, 203, 204, 1000, 8):
        station, made = await run([1001, reason], 20000)
        assert made.status == reason
        assert 8 <= station.done.count("disconnect") <= 10, reason


async def test_an_attempt_without_any_end_is_given_up():
    station, _made = await run([1001], 60000)
    assert 3 <= station.done.count("disconnect") <= 4


async def test_who_is_connected_is_left_alone_as_long_as_somebody_answers():
    station, _made = await run([1010], 3600000, Link())
    assert station.done.count("disconnect") == 1


async def test_a_network_on_which_nobody_answers_is_left_and_joined_again():
    link = Link()
    link.up = False
    station, _made = await run([1010], 3600000, link)
    assert 25 <= station.done.count("disconnect") <= 30
    assert station.done.count("off") == 1


def test_no_signal_is_none_and_not_an_error():
    made = wifi.Wifi(SETTINGS)
    made._station = Station([1010])
    assert made.signal() is None
