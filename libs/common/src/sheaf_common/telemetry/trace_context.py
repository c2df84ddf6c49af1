"""Which span something belongs to, as it travels: W3C `traceparent`, or 24 bytes in a row.

https://www.w3.org/TR/trace-context/. `tracestate` is not carried on: nothing here writes it, and
a document's row would have to hold up to half a kilobyte of it.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

TRACEPARENT_KEY: Final = "traceparent"
PACKED_BYTES: Final = 24

_FORMAT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)
_SAMPLED: Final = 1
_LONGEST: Final = 512


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A span, by its trace's id and its own. Only what is sampled is carried on by Sheaf."""

    trace_id: int
    span_id: int
    sampled: bool = True

    @classmethod
    def parse(cls, traceparent: str) -> Self | None:
        """What a `traceparent` says; None if it is none.

        Versions to come may append to it: what is known of it is read then.
        """
        found = _FORMAT.fullmatch(traceparent) if len(traceparent) <= _LONGEST else None
        if found is None or (found[4] and traceparent.startswith("00")):
            return None
        return cls(int(found[1], 16), int(found[2], 16), bool(int(found[3], 16) & _SAMPLED))

    @classmethod
    def sampled_or_none(cls, traceparent: str) -> Self | None:
        """What a `traceparent` says if it is sampled; None for anything else."""
        context = cls.parse(traceparent) if traceparent else None
        return context if context is not None and context.sampled else None

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """What `packed` packed: a sampled context. Raises ValueError for any other length."""
        if len(packed) != PACKED_BYTES:
            raise ValueError(f"a packed trace context has {PACKED_BYTES} bytes, not {len(packed)}")
        return cls(int.from_bytes(packed[:16]), int.from_bytes(packed[16:]))

    @property
    def packed(self) -> bytes:
        """Both ids in 24 bytes; of a sampled context alone."""
        return self.trace_id.to_bytes(16) + self.span_id.to_bytes(8)

    @property
    def trace_id_hex(self) -> str:
        """The trace's id as people and logs write it."""
        return f"{self.trace_id:032x}"

    def __str__(self) -> str:
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{self.sampled:02x}"
