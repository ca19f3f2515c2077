"""libFuzzer looks for bytes that the codec answers with anything but packets or MqttError; run by test_codec.py.

python atheris_codec.py -runs=… -seed=…
"""

import contextlib
import sys

import atheris

with atheris.instrument_imports():
    from doorward_core import mqtt, mqtt_packets, mqtt_server, mqtt_stream  # noqa: F401

_PARSERS = {
    mqtt.CONNECT: mqtt_server.parse_connect,
    mqtt.SUBSCRIBE: mqtt_server.parse_subscribe,
    mqtt.UNSUBSCRIBE: mqtt_server.parse_unsubscribe,
    mqtt.CONNACK: mqtt.parse_connack,
    mqtt.SUBACK: mqtt.parse_suback,
}


def one(data: bytes) -> None:
    """The first byte says where the stream is cut."""
    if not data:
        return
    stream, cut = data[1:], data[0]
    decoder = mqtt_stream.Decoder(4096)
    with contextlib.suppress(mqtt.MqttError):
        for kind, flags, body in [*decoder.feed(stream[:cut]), *decoder.feed(stream[cut:])]:
            if kind == mqtt.PUBLISH:
                mqtt.parse_publish(flags, body)
            else:
                _PARSERS.get(kind, mqtt.parse_ack)(body)


atheris.Setup(sys.argv, one)
atheris.Fuzz()
