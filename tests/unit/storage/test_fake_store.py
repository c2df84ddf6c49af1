"""The fake of the unit tests keeps the store's promises."""

import pytest

from support.storage_contract import ObjectStoreContract
from support.storage_fakes import FakeStore


@pytest.fixture
def store() -> FakeStore:
    """An empty store."""
    return FakeStore()


@pytest.fixture
def prefix() -> str:
    """A place in it."""
    return "documents/1/"


class TestFakeStore(ObjectStoreContract):
    """The contract over the fake."""
