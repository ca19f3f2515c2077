"""Whatever hypothesis thinks of, both seals say the same."""

import io

import second_seal as second
from hypothesis import given
from hypothesis import strategies as st

from doorward_core import gateway_seal, records, records_build, seal, topic_tree, topics

secrets = st.binary(min_size=32, max_size=32)
devices = st.text("abcXYZ019_-", min_size=1, max_size=32)
bodies = st.binary(max_size=700)
words = st.one_of(
    st.binary(min_size=16, max_size=16).map(seal.nonce_word),
    st.integers(0, 2**53).map(gateway_seal.counter_word),
    st.tuples(st.binary(min_size=8, max_size=8), st.integers(0, 2**53)).map(
        lambda pair: seal.session_word(*pair)
    ),
    st.tuples(st.binary(min_size=4, max_size=4), st.integers(0, 2**53)).map(
        lambda pair: seal.event_word(pair[0].hex(), pair[1])
    ),
)
leaves = st.sampled_from(topic_tree.UP + topic_tree.DOWN)


@given(secrets, st.integers(1, 1000), devices, leaves, words, bodies, st.binary(max_size=16))
def test_seals(secret, epoch, device, suffix, word, body, extra):
    keys = seal.Keys(device, secret, epoch)
    label = topics.label(suffix, word[:1])
    if label is None:
        return
    payload = second.seal(secret, epoch, label, device, suffix, word, body, extra)
    assert seal.seal(keys, suffix, word, body, extra) == payload
    assert seal.open_sealed(keys, suffix, payload, extra).body == body
    assert seal.parse_freshness(word)[0] == word[0]


@given(secrets, st.binary(min_size=16, max_size=16), st.binary(min_size=1, max_size=10))
def test_uids(secret, nonce, uid):
    keys = seal.Keys("front", secret)
    block = second.encrypt_uid(secret, 1, nonce, uid)
    assert seal.encrypt_uid(keys, nonce, uid) == block
    assert gateway_seal.decrypt_uid(keys, nonce, block) == uid
    assert seal.tag(keys, uid) == second.tag(secret, 1, uid)


@given(secrets, st.sets(st.binary(min_size=1, max_size=10), max_size=60), st.data())
def test_every_card_of_a_cache_is_found_and_no_other(secret, uids, data):
    keys = seal.Keys("front", secret)
    cards = [(seal.tag(keys, uid), number, 1) for number, uid in enumerate(sorted(uids))]
    persons: list[tuple[int | None, int | None, int]] = [(None, None, 0)] * len(uids)
    file = records_build.build(keys, 1, 0, 0, 0, [(1, 1, 127, 0, 1440)], persons, cards)
    cache = records.Cache(io.BytesIO(file), keys)
    cache.check()
    for number, uid in enumerate(sorted(uids)):
        assert cache.lookup(seal.tag(keys, uid)).person == number
    stranger = data.draw(st.binary(min_size=1, max_size=10).filter(lambda uid: uid not in uids))
    assert cache.lookup(seal.tag(keys, stranger)) is None
