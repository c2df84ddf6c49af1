"""Pictures of pages."""

from typing import Protocol

from sheaf_gateway.domain.documents import Document


class PageRenderer(Protocol):
    """Draws pages of documents."""

    async def thumbnail(self, document: Document, page: int, width_px: int) -> bytes:
        """A page as WebP, which is kept beside the document as well.

        Of the document it needs id, object key, content type, size and hash.

        Raises:
            InvalidInput: with the reason for which it cannot be drawn.
            SheafError: OverCapacity, Unavailable, DeadlineExceeded, …
        """
        ...
