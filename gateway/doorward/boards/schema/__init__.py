"""What a board profile says. Unknown names and wrong kinds are refused; what a chip cannot do is `lint`'s to say.

Times in s and µs, resistors in ohm, colour temperature in K, 0 and 1 are levels as the chip sees them.
"""
