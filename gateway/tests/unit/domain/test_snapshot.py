"""The rules compiled: what a board is told of them."""

from doorward.domain.credentials import Credential
from doorward.domain.doors import Door
from doorward.domain.levels import AccessLevel
from doorward.domain.people import Person
from doorward.domain.schedules import Schedule
from doorward.domain.snapshot import Rules, Snapshot
from doorward_core import access, records_build
from doorward_core.schedule import ALWAYS

UID, STRONG = b"\x01\x02\x03\x04", b"\x04\x01\x02\x03\x04\x05\x06"
LEVELS = frozenset({1})


def snapshot(*people: Person, cards: tuple[Credential, ...]) -> Snapshot:
    return Snapshot(
        Rules(
            people=people,
            credentials=cards,
            doors=(Door(id="front", name="Front door", device="front"),),
            levels=(AccessLevel(1, "Members", frozenset({("front", 1)})),),
            schedules=(Schedule(1, "Always", ALWAYS),),
        )
    )


def test_each_card_keeps_its_own_strength_on_the_board() -> None:
    content = snapshot(
        Person(1, "Maya", True, None, None, LEVELS),
        cards=(
            Credential(1, UID, 1, False, access.STRENGTH_UID, 0),
            Credential(2, STRONG, 1, False, access.STRENGTH_CRYPTO, 0),
        ),
    ).cache_content("front")
    strengths = {group: strength for group, strength, *_ in content.windows}
    assert [strengths[group] for _, _, group in content.cards] == [
        access.STRENGTH_UID,
        access.STRENGTH_CRYPTO,
    ]
    assert len(content.persons) == 1


def test_people_are_numbered_within_the_file() -> None:
    content = snapshot(
        Person(70_000, "Maya", True, None, None, LEVELS),
        Person(80_000, "Ana", False, 10, 20, LEVELS),
        cards=(
            Credential(1, UID, 80_000, False, access.STRENGTH_UID, 0),
            Credential(2, STRONG, 70_000, False, access.STRENGTH_UID, 0),
        ),
    ).cache_content("front")
    assert content.persons == [(None, None, 0), (10, 20, records_build.PERSON_INACTIVE)]
    assert [(uid, place) for uid, place, _ in content.cards] == [(UID, 1), (STRONG, 0)]
