# esp32.py  What of the ESP32's own module a laptop can answer.
#
# Only what every board uses is here, as in machine.py; the rest is in lab_parts/esp32_more.py.
from lab_parts import flash

__all__ = ("Partition",)


def __getattr__(name):
    from lab_parts import esp32_more

    return getattr(esp32_more, name)


class Partition:
    TYPE_DATA = 1

    @staticmethod
    def find(type=0, *args, label=None, **kwargs):
        # What the board's folder has a file for.
        return flash.partitions if (type, label) == (1, "dwlog") else []
