# esp32_more.py  What few boards ask of esp32; loaded on the first such question.

HEAP_DATA = 4
HEAP_EXEC = 1


def idf_heap_info(capabilities):
    # A list of (total, free, largest free block, least free so far), one per heap; figures of an idle ESP32.
    return [(160_000, 94_256, 53_248, 90_000)]


def mcu_temperature():
    return 40
