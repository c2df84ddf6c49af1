"""Deleting: how much at once, and how often what is deleted is looked for."""

from typing import Final

from sheaf_common.errors import InvalidInput

MAX_A_TRANSACTION: Final = 200
"""Documents that one transaction deletes, but for those that were found inside them meanwhile:
it is over in a fraction of its second then, on a busy machine too."""
MAX_LISTED: Final = 1000
"""Deletions that one call lists or confirms."""
TIMES: Final = 2
"""How often the objects of a document are deleted: at once, and when no work can go on."""


def check_count(field: str, count: int, *, at_least: int = 1) -> int:
    """A number of deletions that a call names.

    Raises:
        InvalidInput: `FIELD_INVALID`, naming the field.
    """
    if not at_least <= count <= MAX_LISTED:
        raise InvalidInput(
            "FIELD_INVALID",
            f"{field} must be {at_least} to {MAX_LISTED}",
            evidence={"field": field},
        )
    return count
