"""JSON can spell half a character; on CPython it comes out as one that nothing can take."""

import pytest

from doorward_core import board_messages, gateway_messages
from doorward_core.messages import MessageError


def test_it_is_no_text() -> None:
    built = board_messages.hello("front", "0.1.0", "0a1b2c3d", 7, 3, 4999)
    with pytest.raises(MessageError) as refused:
        gateway_messages.parse_hello(built.replace(b"0.1.0", b"\\ud800"))
    assert refused.value.field == "firmware"
