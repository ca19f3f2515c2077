"""MQTT as people and programs use it: topics explained, messages said and listened to."""
