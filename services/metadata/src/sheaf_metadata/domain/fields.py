"""Which fields of a document a caller wants."""

from collections.abc import Iterable
from typing import Final

from sheaf_common.errors import InvalidInput
from sheaf_metadata.domain.documents import DOCUMENT_FIELDS

Fields = tuple[str, ...]
"""Names of fields of `Document`, in its order, each once."""

ALL_FIELDS: Final[Fields] = DOCUMENT_FIELDS
_KNOWN: Final = frozenset(DOCUMENT_FIELDS)


def fields_of(paths: Iterable[str]) -> Fields:
    """The fields that a read mask names; all of them if it names none.

    Raises:
        InvalidInput: `FIELD_UNKNOWN`, naming the first that a document does not have.
    """
    wanted = set(paths)
    if not wanted:
        return ALL_FIELDS
    unknown = sorted(wanted - _KNOWN)
    if unknown:
        raise InvalidInput(
            "FIELD_UNKNOWN",
            f"a document has no field {unknown[0][:64]!r}",
            evidence={"field": unknown[0][:64]},
        )
    return tuple(field for field in DOCUMENT_FIELDS if field in wanted)


def with_fields(fields: Fields, *needed: str) -> Fields:
    """`fields` and what the reader itself needs besides."""
    wanted = {*fields, *needed}
    return tuple(field for field in DOCUMENT_FIELDS if field in wanted)
