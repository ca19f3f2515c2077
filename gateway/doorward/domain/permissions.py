"""What an operator may do, and the roles that ship. Where people may go with their cards is for access levels to say.

A role is a set of permissions that can be edited, except Admin: whoever keeps the operators must always be able to.
"""

from collections.abc import Mapping
from types import MappingProxyType

DOORS_SEE = "doors.see"
DOORS_OPEN = "doors.open"
LIGHTS_SET = "lights.set"
PEOPLE_SEE = "people.see"
PEOPLE_EDIT = "people.edit"
AUDIT_SEE = "audit.see"
AUDIT_EXPORT = "audit.export"
DEVICES_SEE = "devices.see"
DEVICES_EDIT = "devices.edit"
SYSTEM_SEE = "system.see"
OPERATORS_EDIT = "operators.edit"
POLICY_ASK = "policy.ask"
MQTT_SEE = "mqtt.see"
MQTT_EDIT = "mqtt.edit"
MQTT_PUBLISH = "mqtt.publish"

ALL = frozenset(
    {
        DOORS_SEE,
        DOORS_OPEN,
        LIGHTS_SET,
        PEOPLE_SEE,
        PEOPLE_EDIT,
        AUDIT_SEE,
        AUDIT_EXPORT,
        DEVICES_SEE,
        DEVICES_EDIT,
        SYSTEM_SEE,
        OPERATORS_EDIT,
        POLICY_ASK,
        MQTT_SEE,
        MQTT_EDIT,
        MQTT_PUBLISH,
    }
)

ADMIN = "Admin"
GUEST = "Guest"

SHIPPED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        ADMIN: ALL,
        "Teacher": frozenset(
            {DOORS_SEE, DOORS_OPEN, PEOPLE_SEE, AUDIT_SEE, DEVICES_SEE, POLICY_ASK}
        ),
        "Student": frozenset({DOORS_SEE, DEVICES_SEE}),
        "User": frozenset({DOORS_SEE, DOORS_OPEN}),
        GUEST: frozenset({DOORS_SEE}),
    }
)
