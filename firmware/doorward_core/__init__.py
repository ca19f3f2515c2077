# What boards and gateway say to each other, and what both decide: one source for MicroPython and CPython.
