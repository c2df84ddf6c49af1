"""Connections are no more than the operating system grants."""

import resource

import pytest

from sheaf_gateway.api.descriptors import affordable_connections


@pytest.mark.parametrize(
    ("soft", "hard", "raised_to", "affordable"),
    [
        pytest.param(20_000, 20_000, None, 5000, id="enough"),
        pytest.param(1024, 20_000, 5256, 5000, id="raised as far as needed"),
        pytest.param(1024, resource.RLIM_INFINITY, 5256, 5000, id="raised without an end"),
        pytest.param(1024, 4096, 4096, 3840, id="raised as far as it goes"),
        pytest.param(resource.RLIM_INFINITY, resource.RLIM_INFINITY, None, 5000, id="no limit"),
        pytest.param(100, 100, 100, 1, id="hardly any"),
    ],
)
def test_the_limit_is_raised_as_far_as_it_goes(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, raised_to: int | None, affordable: int
) -> None:
    """And what is left of it is the bound; the rest of the descriptors has other uses."""
    raised: list[int | None] = [None]
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: raised.append(limits[0]))

    assert affordable_connections(5000) == affordable
    assert raised[-1] == raised_to
