"""Whatever hypothesis thinks of, the MQTT codec takes it apart as it was put together, or says MqttError."""

from hypothesis import given, settings
from hypothesis import strategies as st

from doorward_core import mqtt, mqtt_server, mqtt_stream

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
TOPIC = TEXT.map(lambda text: text.replace("+", "p").replace("#", "h") or "t")
IDS = st.integers(1, 65535)
QOS = st.integers(0, 2)
WILL = st.tuples(TOPIC, st.binary(max_size=60), st.booleans(), QOS)
PARSERS = (
    mqtt_server.parse_connect,
    mqtt_server.parse_subscribe,
    mqtt_server.parse_unsubscribe,
    mqtt.parse_ack,
    mqtt.parse_connack,
    mqtt.parse_suback,
)


def body_of(packet):
    ((kind, flags, body),) = mqtt_stream.Decoder().feed(packet)
    return kind, flags, body


@given(TEXT, st.integers(0, 65535), st.booleans(), TEXT, st.binary(max_size=60), st.none() | WILL)
def test_connect_comes_back(client_id, keepalive, clean, user, password, will):
    packet = mqtt.connect(client_id, keepalive, clean, user, password, will)
    kind, _, body = body_of(packet)
    found = mqtt_server.parse_connect(body)
    assert kind == mqtt.CONNECT
    assert (found.client_id, found.keepalive, found.clean) == (client_id, keepalive, clean)
    assert (found.user, found.password, found.will) == (user, password, will)


@given(TOPIC, st.binary(max_size=300), QOS, st.booleans(), st.booleans(), IDS)
def test_publish_comes_back(topic, payload, qos, retain, dup, packet_id):
    dup = dup and qos > 0
    packet_id = packet_id if qos else 0
    packet = mqtt.publish(topic, payload, qos, retain, dup, packet_id)
    kind, flags, body = body_of(packet)
    assert (kind, flags) == (mqtt.PUBLISH, dup << 3 | qos << 1 | retain)
    assert mqtt.parse_publish(flags, body) == (topic, packet_id, payload)


@given(IDS, st.lists(st.tuples(TEXT, QOS), min_size=1, max_size=8))
def test_subscribe_and_its_answer_come_back(packet_id, wanted):
    _, _, body = body_of(mqtt.subscribe(packet_id, wanted))
    assert mqtt_server.parse_subscribe(body) == (packet_id, wanted)
    codes = [qos for _, qos in wanted]
    _, _, body = body_of(mqtt_server.suback(packet_id, codes))
    assert mqtt.parse_suback(body) == (packet_id, bytes(codes))


@given(st.lists(st.tuples(IDS, st.binary(max_size=200)), max_size=6), st.data())
def test_a_stream_is_the_same_however_it_is_cut(sent, data):
    stream = b"".join(mqtt.publish("t", payload, 1, False, False, n) for n, payload in sent)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12).map(sorted))
    decoder, found = mqtt_stream.Decoder(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += decoder.feed(stream[start:end])
    assert found == mqtt_stream.Decoder().feed(stream)
    assert [mqtt.parse_publish(flags, body)[1:] for _, flags, body in found] == sent
    assert not decoder.pending()


@settings(max_examples=1000)
@given(st.binary(max_size=400), st.integers(0, 400))
def test_any_bytes_are_packets_or_an_mqtt_error_and_nothing_else(stream, largest):
    try:
        for kind, flags, body in mqtt_stream.Decoder(largest).feed(stream):
            assert 0 < kind < 15
            assert len(body) <= largest
            parse_all(flags, body)
    except mqtt.MqttError:
        pass


@settings(max_examples=1000)
@given(st.binary(max_size=120), st.integers(0, 15))
def test_any_body_is_understood_or_an_mqtt_error_and_nothing_else(body, flags):
    parse_all(flags, body)
    parse_all(flags, b"\0\4MQTT\4" + body)


def parse_all(flags, body):
    for parse in PARSERS:
        try:
            parse(body)
        except mqtt.MqttError:
            pass
    try:
        topic, packet_id, payload = mqtt.parse_publish(flags, body)
    except mqtt.MqttError:
        return
    assert "+" not in topic
    assert bool(packet_id) == bool(flags & 6)
    assert body.endswith(payload)
