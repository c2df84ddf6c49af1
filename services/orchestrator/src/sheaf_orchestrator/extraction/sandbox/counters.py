"""What a pool counts over its life."""

from collections import Counter


class Counters:
    """Plain numbers that only grow."""

    def __init__(self) -> None:
        self.documents = 0
        self.failed_starts = 0
        self.failures: Counter[str] = Counter()
        self.restarts: Counter[str] = Counter()
