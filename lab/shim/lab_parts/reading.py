# reading.py  How often the board's flash has been read, for a program of a bench.
import lab_start

__all__ = ("flash_reads",)


def flash_reads():
    # Since power-on.
    return lab_start._flash.reads  # noqa: SLF001 - whoever powers the board on has it
