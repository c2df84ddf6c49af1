"""Where a document's objects lie."""

from uuid import UUID

from sheaf_common.ids import new_id


def object_key(document_id: UUID) -> str:
    """Where a document's original lies."""
    return f"documents/{document_id}/original"


def copied_result_key(document_id: UUID) -> str:
    """A new key for a result that was not made by a workflow; the document's first attempt's."""
    return f"documents/{document_id}/1-{new_id()}/result.json.zst"


def thumbnail_key(document_id: UUID, page: int, width_px: int) -> str:
    """Where the picture of a page is kept."""
    return f"documents/{document_id}/thumb-{page}-{width_px}.webp"
