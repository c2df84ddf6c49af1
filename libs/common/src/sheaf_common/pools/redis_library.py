"""Imports redis-py without OpenTelemetry; to be imported before it.

redis-py has metrics of its own, which Sheaf does not switch on, and imports OpenTelemetry for
them wherever it is installed: 0.2 s of CPU at each start, and memory, though nothing is traced.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_LIBRARY = "opentelemetry"


@contextmanager
def _absent(module: str) -> Iterator[None]:
    """As if the module were not installed, for the block; nothing if it is imported already."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment] # documented: importing it fails
    try:
        yield
    finally:
        del sys.modules[module]


with _absent(_LIBRARY):
    import redis.asyncio  # noqa: F401 - for who imports it next
