"""A journal, and a store that answers when the test says so."""

import pytest
from fakes.session import FakeStore

from doorward.broker.keeping.journal import Journal


@pytest.fixture
def store():
    return FakeStore()


@pytest.fixture
def journal(store):
    journal = Journal(store, lambda: None)
    journal.start(0)
    return journal
