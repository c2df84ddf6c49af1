"""The fake signer of the unit tests keeps the signer's promises."""

import pytest

from support.presign_contract import RequestSignerContract, Send
from support.presign_fakes import FakeSigner
from support.storage_fakes import FakeStore


@pytest.fixture
def store() -> FakeStore:
    """An empty store."""
    return FakeStore()


@pytest.fixture
def signer(store: FakeStore) -> FakeSigner:
    """The signer for it."""
    return FakeSigner(store)


@pytest.fixture
def send(signer: FakeSigner) -> Send:
    """The way of a request."""
    return signer.send


@pytest.fixture
def prefix() -> str:
    """A place in the store."""
    return "documents/1/"


class TestFakeSigner(RequestSignerContract):
    """The contract over the fake."""
