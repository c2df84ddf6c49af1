"""Unit tests touch no network: any attempt to open a socket fails the test."""

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def no_sockets() -> Iterator[None]:
    """Sockets are off; Unix ones stay, since the event loop wakes itself through a pair."""
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
