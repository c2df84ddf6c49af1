"""How the suite is shared out between its processes."""

from pathlib import Path

import pytest

from support.scheduling import _TOGETHER, scope_of


@pytest.mark.parametrize(
    ("test", "scope"),
    [
        ("tests/chaos/test_crashes.py::test_a[x::y]", "the system"),
        ("tests/e2e/test_kpis.py::test_a", "the system"),
        ("tests/integration/gateway/test_intake.py::test_a", "the intake"),
        ("tests/unit/dev/test_ports.py::test_a", "tests/unit/dev/test_ports.py"),
    ],
)
def test_tests_over_the_same_servers_stay_together(test: str, scope: str) -> None:
    """All others by file."""
    assert scope_of(test) == scope


def test_every_folder_that_shares_servers_is_there() -> None:
    """None was renamed."""
    assert all(Path(folder).is_dir() for folder in _TOGETHER)
