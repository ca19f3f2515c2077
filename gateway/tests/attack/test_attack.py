"""The broker's administrator against a door: whatever they do, it opens for whom it should, and for nobody else."""

from pathlib import Path

from attack.campaign import Campaign
from attack.secrecy import spellings, spellings_found
from attack.site import CARDS, Site


async def test_two_thousand_hostile_rounds_open_nothing(tmp_path: Path, cache: Path) -> None:
    async with Site(tmp_path / "site", cache) as site:
        await site.board("front")
        campaign = Campaign(site, seed=20261121)
        await campaign.run(2000)
        assert campaign.rounds >= 2000
        assert site.opened() == campaign.legitimate > 20


def test_every_spelling_of_a_card_number_is_found() -> None:
    uid = CARDS["one"]
    for name, spelling in spellings(uid).items():
        assert f"{uid.hex()} as {name}" in spellings_found(b"..." + spelling + b"...", [uid])
    assert not spellings_found(b"04a1b2c3d4e5", [uid])
