"""A gateway over fakes."""

import pytest

from support.gateway import Gateway, build_gateway


@pytest.fixture
def gateway() -> Gateway:
    """With default settings."""
    return build_gateway()
