"""What a permission lets somebody do, in words. The API and the command line call it by its name."""

_WORDS = {
    "doors.see": "See the doors",
    "doors.open": "Open doors",
    "lights.set": "Set lights",
    "people.see": "See people and cards",
    "people.edit": "Change people and cards",
    "audit.see": "Read the audit",
    "audit.export": "Take the audit along",
    "devices.see": "See the boards",
    "devices.edit": "Adopt, approve and shut out boards",
    "system.see": "See the gateway's health",
    "operators.edit": "Change operators and roles",
    "policy.ask": "Ask why a door opens or not",
    "mqtt.see": "See the broker",
    "mqtt.edit": "Change the broker's users and rules",
    "mqtt.publish": "Publish over the broker",
}


def permission_words(name: str) -> str:
    """The words for one; a name that has none is its own."""
    return _WORDS.get(name, name)
