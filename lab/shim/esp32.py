# esp32.py  What of the ESP32's own module a laptop can answer.
from lab_parts import flash

HEAP_DATA = 4
HEAP_EXEC = 1


def idf_heap_info(capabilities):
    # A list of (total, free, largest free block, least free so far), one per heap; figures of an idle ESP32.
    return [(160_000, 94_256, 53_248, 90_000)]


def mcu_temperature():
    return 40


class Partition:
    TYPE_DATA = 1

    @staticmethod
    def find(type=0, subtype=255, label=None, block_size=4096):
        # What the board's folder has a file for.
        return flash.partitions if (type, label) == (1, "dwlog") else []
