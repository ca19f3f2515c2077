# The date for certificates: never back, only after a day of agreement, and never far at a time.

import os

from scratch import folder

from doorward_core import timestamps
from doorward_node import dates, files

DAY = 86400
NOW = 1795257000  # 2026-11-21T10:30:00Z


class Rtc:
    def __init__(self, told=(2000, 1, 1, 5, 0, 0, 7, 0)):
        self.told = told

    def __call__(self):
        return self

    def datetime(self, when=None):
        if when is not None:
            self.told = when
        return self.told

    def text(self):
        return "%04d-%02d-%02dT%02d:%02d:%02dZ" % (self.told[:3] + self.told[4:7])


def on(rtc):
    dates.RTC = rtc
    return folder() + "/date"


def test_a_chip_that_knows_nothing_stays_in_2000():
    rtc = Rtc()
    path = on(rtc)
    dates.begin(path, 0)
    assert rtc.text() == "2000-01-01T00:00:07Z" and files.read(path) is None


def test_it_starts_at_its_adoption_and_then_at_what_it_kept():
    rtc = Rtc()
    path = on(rtc)
    dates.begin(path, NOW)
    assert rtc.text() == timestamps.iso(NOW)
    dates.keep(path, NOW + 30 * DAY)
    assert rtc.text() == timestamps.iso(NOW + 30 * DAY)
    rtc.told = (2000, 1, 1, 5, 0, 0, 7, 0)
    dates.begin(path, NOW)
    assert rtc.text() == timestamps.iso(NOW + 30 * DAY)


def test_it_never_goes_back():
    rtc = Rtc((2027, 1, 2, 5, 3, 4, 5, 0))  # it ran on through a reset
    path = on(rtc)
    dates.begin(path, NOW)
    dates.keep(path, NOW - 5 * DAY)
    assert rtc.text() == "2027-01-02T03:04:05Z"
    assert files.read(path) == str(NOW).encode()
    dates.keep(path, 0)
    assert files.read(path) == str(NOW).encode()


def test_a_gateway_in_the_far_future_moves_it_by_a_year_or_so():
    rtc = Rtc()
    path = on(rtc)
    dates.begin(path, NOW)
    dates.keep(path, NOW + 80 * 365 * DAY)
    assert files.read(path) == str(NOW + 400 * DAY).encode()
    assert rtc.text() == timestamps.iso(NOW + 400 * DAY)


def test_flash_is_written_twice_a_day_at_the_most():
    rtc = Rtc()
    path = on(rtc)
    dates.begin(path, NOW)
    for hour in range(12):
        dates.keep(path, NOW + hour * 3600)
    assert files.read(path) == str(NOW).encode()
    dates.keep(path, NOW + DAY // 2)
    assert files.read(path) == str(NOW + DAY // 2).encode()


def test_a_damaged_or_unwritable_file_is_no_obstacle():
    rtc = Rtc()
    path = on(rtc)
    files.replace(path, b"\xffnonsense")
    dates.begin(path, NOW)
    assert rtc.text() == timestamps.iso(NOW)
    rtc.told = (2000, 1, 1, 5, 0, 0, 7, 0)
    os.mkdir(path + "-")
    dates.begin(path + "-/no/such", NOW)
    assert rtc.text() == timestamps.iso(NOW)
