"""Who asks for the same again over a new connection is answered no sooner than the disk has it."""

import pytest
from broker_support import running_broker, topic
from fakes.held_disk import held

from doorward_core import mqtt, topics

CONTROL = topic("front", topics.CONTROL)
STATE = topic("front", topics.REPORTED)
EVENTS = topic("front", topics.EVENTS)

RELEASE = mqtt.ack(mqtt.PUBREL, 7)
UNSUBSCRIBE = mqtt.unsubscribe(8, [CONTROL])
CLEAR = mqtt.publish(STATE, b"", 1, True, False, 9)


@pytest.mark.parametrize(
    ("request_", "answer", "noted"),
    [
        pytest.param(RELEASE, mqtt.PUBCOMP, lambda batch: batch.received, id="release"),
        pytest.param(UNSUBSCRIBE, mqtt.UNSUBACK, lambda batch: batch.subscriptions, id="leave"),
        pytest.param(CLEAR, mqtt.PUBACK, lambda batch: batch.retained, id="clear"),
    ],
)
async def test_what_was_done_already_is_answered_when_it_is_on_disk(
    tmp_path, request_, answer, noted
):
    async with running_broker(tmp_path) as site:
        sent = site.broker.counters.sent
        async with site.client("front", clean=False) as front:
            await front.subscribe(CONTROL)
            await front.publish(STATE, b"on", retain=True)
            front.write(mqtt.publish(EVENTS, b"once", 2, False, False, 7))
            await front.expect(mqtt.PUBREC)
            before = sent[answer << 4]
            with held(site.broker) as disk:
                front.write(request_)
                await disk.holds(noted)
                await front.drop()
                await site.gone("front")
                async with site.client("front", clean=False) as again:
                    again.write(request_ + mqtt.pingreq())
                    await again.expect(mqtt.PINGRESP)
                    assert sent[answer << 4] == before
                    disk.let_go()
                    await again.expect(answer)
