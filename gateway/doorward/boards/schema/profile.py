"""A profile as a whole."""

from typing import Literal

from pydantic import Field

from doorward.boards.schema.inputs import Battery, Contact, Pir, Switch
from doorward.boards.schema.locks import Padlock, Strike
from doorward.boards.schema.part import Part, Section
from doorward.boards.schema.readers import Keypad, Reader
from doorward.boards.schema.signs import Buzzer, Lamp, Led


class Profile(Section):
    """One board: its chip, what it is there for, and every part that hangs on it."""

    title: str = Field(min_length=1, max_length=80)
    chip: Literal["esp32", "esp32-s3", "esp32-c3"]
    role: Literal["door", "vault", "motion", "lamp", "combined"]
    reader: Reader | None = None
    keypad: Keypad | None = None
    strike: Strike | None = None
    contact: Contact | None = None
    rex: Switch | None = None
    tamper: Switch | None = None
    button: Switch | None = None
    padlock: Padlock | None = None
    pir: Pir | None = None
    battery: Battery | None = None
    lamp: Lamp | None = None
    buzzer: Buzzer | None = None
    led: Led | None = None

    def parts(self) -> dict[str, Part]:
        """The parts that are there, by name."""
        named = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {name: part for name, part in named if isinstance(part, Part)}
