# What feeds the board, through a divider to a pin of ADC1: the other converter does not work beside
# Wi-Fi.

from doorward_core.compat import const

# The converter's noise is some 10 mV; the mean of eight readings is steady to a few.
_READINGS = const(8)


class Battery:
    # adc: a machine.ADC. ratio: volts at the battery for one volt at the pin.
    def __init__(self, adc, ratio):
        self._adc = adc
        self._ratio = ratio

    def mv(self):
        # The battery's voltage in mV. Takes well under 1 ms.
        total = 0
        for _ in range(_READINGS):
            total += self._adc.read_uv()
        return int(total // _READINGS * self._ratio) // 1000


def make(settings):
    # settings: pin, ratio. At the pin at most 2.4 V: above that the converter sees no difference.
    from machine import ADC, Pin

    return Battery(ADC(Pin(settings["pin"]), atten=ADC.ATTN_11DB), settings["ratio"])
