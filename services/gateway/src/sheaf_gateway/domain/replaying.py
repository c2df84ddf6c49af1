"""Quarantined documents that are queued again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Replay:
    """Which quarantined documents are queued again; empty means any, `limit` bounds them."""

    reason: str = ""
    product: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Replayed:
    """The documents that are queued again, in ascending id; `more` may follow."""

    document_ids: tuple[str, ...]
    more: bool
