"""Figures of a pool, for telemetry and tests."""

import msgspec


class PoolStats(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot; counters only grow over a pool's life."""

    size: int
    """Documents that can run at once."""
    in_use: int
    """Documents that run."""
    ready: int
    """Subprocesses that wait for a document, spares included."""
    starting: int
    """Subprocesses that have not said hello yet."""
    waiting: int
    """Callers that wait for a subprocess."""
    documents: int
    """Documents that a subprocess answered for."""
    failures: dict[str, int]
    """Documents without a result, by reason."""
    restarts: dict[str, int]
    """Subprocesses replaced, by cause: documents, rss, fresh, cancelled, idle, rest, CRASHED, …"""
    failed_starts: int
    """Subprocesses that did not come to hello."""
    isolation: str | None
    """What the latest subprocess reported: ``netns`` or ``none``; None before the first."""
    priority: str | None
    """What the latest subprocess reported: ``normal``, ``low`` or ``normal group`` (its niceness
    has no effect on other sessions); None before the first."""
    pids: tuple[int, ...]
    """The living subprocesses."""
