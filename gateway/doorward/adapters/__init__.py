"""The outside world: MQTT, the encrypted store, passwords, the clock, the virtual site."""
