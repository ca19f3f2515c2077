# The parts of a virtual board that firmware never sees: the wire to the lab, and the chips around the ESP32.

rtc_at = 0  # where its clock and memory are (doorward_lab/launch.py); 0 for who has none, and weighs code alone
