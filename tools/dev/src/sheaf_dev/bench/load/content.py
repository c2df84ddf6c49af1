"""A file that a load test sends."""

from dataclasses import dataclass
from typing import Final

STAMP_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Content:
    """A file. Where it is `stamped`, `STAMP_BYTES` of a stamp go between its two parts."""

    filename: str
    before: bytes
    after: bytes = b""
    stamped: bool = False

    def bytes_with(self, stamp: bytes) -> bytes:
        """Its bytes, stamped if it can be. Raises ValueError if the stamp has another length."""
        if len(stamp) != STAMP_BYTES:
            raise ValueError(f"a stamp has {STAMP_BYTES} bytes, not {len(stamp)}")
        return self.before + stamp + self.after if self.stamped else self.before
