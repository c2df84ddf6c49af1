"""`?fields=`: what of each document an answer has, and what is read for it."""

from collections.abc import Mapping
from typing import Annotated, Final

from litestar.params import QueryParameter

from sheaf_common.errors import InvalidInput
from sheaf_gateway.api.schemas import DocumentBody
from sheaf_gateway.domain.documents import ALL_COLUMNS, Columns

FIELDS: Final = DocumentBody.__struct_fields__
"""The fields of a document as the API names them."""

_COLUMNS: Final[Mapping[str, Columns]] = {
    **{name: frozenset({name}) for name in FIELDS if name in ALL_COLUMNS},
    "id": frozenset(),
    "metadata": frozenset({"metadata_json"}),
    "pages": frozenset({"page_count", "status"}),
    "characters": frozenset({"character_count", "status"}),
    "progress": frozenset({"pages_done", "pages_total"}),
    "links": frozenset({"batch_id", "parent_id", "status", "content_type"}),
}
_EVERY_COLUMN: Final = frozenset[str]().union(*_COLUMNS.values())
_SHOWN_CHARACTERS: Final = 64

Fields = Annotated[
    str | None,
    QueryParameter(
        description="Only these fields of each document, separated by commas; its id is always"
        f" there. One or more of: {', '.join(FIELDS)}.",
        max_length=512,
    ),
]


def selected(text: str | None) -> tuple[str, ...] | None:
    """The fields that a request names; None if it does not, which means all.

    Raises:
        InvalidInput: `FIELD_UNKNOWN`, naming the first that a document does not have.
    """
    if text is None:
        return None
    names = tuple(text.split(","))
    for name in names:
        if name not in _COLUMNS:
            shown = name[:_SHOWN_CHARACTERS]
            raise InvalidInput(
                "FIELD_UNKNOWN",
                f"a document has no field {shown!r}",
                evidence={"field": shown, "known": ", ".join(FIELDS)},
            )
    return names


def columns_of(fields: tuple[str, ...] | None) -> Columns:
    """What has to be read for these fields; None means all."""
    if fields is None:
        return _EVERY_COLUMN
    return frozenset[str]().union(*(_COLUMNS[name] for name in fields))
