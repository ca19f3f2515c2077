# The parts of a virtual board that firmware never sees: the wire to the lab, and the chips around the ESP32.
