# The battery's voltage, as the chip's converter sees it through a divider.

from lab_by_hand import power_up

from doorward_drivers import battery
from lab_parts import machine_more


def made(pin_mv, ratio=2):
    power_up()
    machine_more.uv[34] = pin_mv * 1000
    return battery.make({"pin": 34, "ratio": ratio})


def test_the_divider_is_taken_back():
    for pin_mv, ratio, mv in (
        (2100, 2, 4200),
        (1500, 2.0, 3000),
        (1000, 11.0, 11000),
        (1850, 2.2, 4070),
    ):
        assert abs(made(pin_mv, ratio).mv() - mv) <= 2, (pin_mv, ratio)


def test_beyond_its_range_the_converter_sees_no_difference():
    # Positive control: a divider that leaves more than 2.4 V at the pin hides how full a battery is.
    assert made(2600).mv() == made(3000).mv() == 4900


def test_noise_is_averaged():
    class Noisy:
        def __init__(self):
            self.count = 0

        def read_uv(self):
            self.count += 1
            return 2000000 + (20000 if self.count & 1 else -20000)

    assert battery.Battery(Noisy(), 2).mv() == 4000
