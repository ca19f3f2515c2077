# Picks the slot with the board's program, and starts it. /slot says "a 0" (slot, epoch) or, on
# trial, "b 1 a 0 3": three more starts of b, then a again. doorward_node/install.py writes it.

import gc
import os
import sys

# Loading a module leaves rubbish between what stays. Collected at once, the next module fills the
# gaps; collected only when the heap is full, a third of it is gaps that nothing fits into.
gc.threshold(1024)


def settle():
    # What somebody at the USB port had decided on when the power went: the files that /commit names
    # take their places together. True if there were any.
    try:
        with open("/commit") as file:
            paths = file.read().split("\n")
    except OSError:
        return False
    for path in paths:
        try:
            os.rename(path + ".usb", path)
        except OSError as error:
            if error.errno != 2:
                raise
            # It is there: ENOENT is 2 everywhere.
    os.remove("/commit")
    return True


# --- gateway/doorward/flash/scripts.py runs what stands above, on the board


def _pick():
    # (slot, whether it is on trial). A start is counted before it can go wrong.
    try:
        with open("/slot") as file:
            items = file.read().split()
    except OSError:
        items = ["a"]
    if len(items) != 5:
        return items[0], False
    count = int(items[4])
    line = items[:4] + [str(count - 1)] if count else items[2:4]
    try:
        with open("/slot.new", "w") as file:
            file.write(" ".join(line))
        os.rename("/slot.new", "/slot")
    except OSError:
        return items[2], False  # what cannot be counted is not tried
    return line[0], count > 0


try:
    if settle():
        from machine import reset

        reset()  # boot.py has seen the settings of before
except OSError as error:
    print("doorward: not settled:", error)
del settle
slot, trial = _pick()
del _pick
sys.path.insert(0, "/" + slot)
if trial:
    from machine import WDT

    # For a program that hangs before it has started its own, which is shorter.
    WDT(timeout=30000)
failure = "it ended by itself"
try:
    from doorward_node.supervisor import main

    main(trial)
except Exception as error:  # noqa: BLE001 - whatever it is, a trial goes on without it
    sys.print_exception(error)
    failure = (type(error).__name__ + ": " + str(error))[:120]
if trial:
    from machine import reset

    try:
        with open("/failure", "w") as file:
            file.write(failure)
    except OSError:
        pass
    reset()
