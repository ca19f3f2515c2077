"""What clients may pile up while the disk takes nothing."""

from broker_support import running_broker
from fakes.held_disk import held

from doorward.broker import Limits
from doorward_core import mqtt


async def test_what_nobody_waits_for_is_bounded_while_the_disk_refuses(tmp_path):
    """Retained at QoS 0 and cleared again, over and over: nothing is there, and each topic would be noted."""
    limits = Limits(publish_rate=0, uncommitted_all=50)
    async with (
        running_broker(tmp_path, users=("ann",), limits=limits) as site,
        site.client("ann") as ann,
        site.client(
            "ann", client_id="other"
        ) as other,  # one that waits for an answer is not read from
    ):
        with held(site.broker) as disk:
            ann.write(mqtt.publish("school/first", b"1", 1, True, False, 1))
            await disk.holds(lambda batch: batch.retained)
            disk.refuse()
            for number in range(200):
                for payload in (b"1", b""):
                    other.write(mqtt.publish(f"school/{number}", payload, 0, True))
            other.write(mqtt.pingreq())
            await other.expect(mqtt.PINGRESP)
            assert len(site.broker._journal._open.retained) == 50
            disk.let_go()
            site.broker.sweep()
            await ann.expect(mqtt.PUBACK)
        await site.broker.settle()
        await ann.publish("school/later", b"1", 0, retain=True)
        await ann.subscribe("school/#")
        assert sorted(one.topic for one in await ann.messages()) == ["school/first", "school/later"]
