"""A board that tests itself tries what only the gateway may say: it is refused as ever, and nobody is told of it."""

from broker_support import GATEWAY, running_broker, topic

from doorward.broker import Denial
from doorward.broker.rights.policy import FOREIGN_DEVICE, NOT_GRANTED
from doorward_core import topics

OWN = topic("front", topics.ACCESS_RESPONSE)
FOREIGN = topic("back", topics.ACCESS_RESPONSE)
PROBE = topics.PROBE


async def test_a_probe_goes_to_nobody_and_whatever_differs_from_it_is_a_denial(tmp_path):
    """Mutants: the probe is routed; any payload, any leaf, any device's topic or any principal passes for one."""
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        await gateway.subscribe(OWN, FOREIGN)
        async with site.client("front") as front:
            await front.subscribe(OWN)
            await front.publish(OWN, PROBE)
            assert await front.messages() == []
            assert site.denials == []
            assert site.broker.status().denied == 0
            others = (
                (OWN, PROBE + b" ", NOT_GRANTED),
                (OWN, b"", NOT_GRANTED),
                (topic("front", topics.CONTROL), PROBE, NOT_GRANTED),
                (FOREIGN, PROBE, FOREIGN_DEVICE),
            )
            for place, payload, _ in others:
                await front.publish(place, payload)
            assert site.denials == [
                Denial("front", "publish", place, rule) for place, _, rule in others
            ]
        assert await gateway.messages() == []
        await gateway.publish(OWN, PROBE)
        assert [one.payload for one in await gateway.messages()] == [PROBE]
