"""A profile as the board reads it."""

from typing import Any

from doorward.boards.schema.profile import Profile

DEFAULT_CAP_S = 10


def compiled(profile: Profile) -> dict[str, Any]:
    """What goes into the board's config.json: `role`, and `pins` by part. Nothing in it is for people."""
    pins = {
        name: part.model_dump(mode="json", exclude=set(part.aside), exclude_none=True)
        for name, part in profile.parts().items()
    }
    return {"role": profile.role, "pins": pins}


def cap_s(profile: Profile) -> int:
    """The longest that the board's lock may be energised, in s: the gateway can shorten it, never lengthen it."""
    return profile.strike.cap_s if profile.strike else DEFAULT_CAP_S
