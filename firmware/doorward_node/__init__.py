# The board's program.

VERSION = "0.1.0"
