"""Pictures of pages: those that are kept, else drawn once and kept."""

from typing import Final
from uuid import UUID

from sheaf_common.errors import FailedPrecondition, InvalidInput, NotFound
from sheaf_gateway.domain.documents import Document, DocumentStatus
from sheaf_gateway.domain.object_keys import thumbnail_key
from sheaf_gateway.ports.objects import ObjectStore
from sheaf_gateway.ports.records import Records
from sheaf_gateway.ports.rendering import PageRenderer
from sheaf_gateway.service.reading import missing

WIDTHS_PX: Final = (128, 256, 512, 1024)
DEFAULT_WIDTH_PX: Final = 256

_COLUMNS: Final = frozenset(
    {"status", "reason", "content_type", "size_bytes", "sha256", "object_key", "page_count"}
)
_NOTHING: Final = frozenset[str]()
_DELETE_S: Final = 2.0
_NOT_DRAWN: Final = frozenset({DocumentStatus.AWAITING_UPLOAD, DocumentStatus.QUARANTINED})


class ThumbnailService:
    """The use case behind `GET /v1/documents/{id}/thumbnail`."""

    def __init__(self, records: Records, store: ObjectStore, renderer: PageRenderer) -> None:
        self._records = records
        self._store = store
        self._renderer = renderer

    async def document(self, document_id: UUID, page: int, width_px: int) -> Document:
        """The document whose page is wanted, if it can have a picture.

        Raises:
            InvalidInput: `WIDTH_INVALID`, `UNSUPPORTED_FORMAT`.
            NotFound: `DOCUMENT_NOT_FOUND`, `PAGE_NOT_FOUND`.
            FailedPrecondition: `NOT_DRAWN`, it is quarantined or its bytes are not there yet.
        """
        if width_px not in WIDTHS_PX:
            allowed = ", ".join(map(str, WIDTHS_PX))
            raise InvalidInput(
                "WIDTH_INVALID",
                f"width must be one of {allowed}",
                evidence={"field": "width", "allowed": allowed},
            )
        document = await self._records.document(document_id, _COLUMNS)
        if document.status in _NOT_DRAWN:
            raise FailedPrecondition(
                "NOT_DRAWN",
                f"no page is drawn of a document that is {document.status}",
                evidence={"document_status": str(document.status)},
            )
        if document.status is DocumentStatus.COMPLETED:  # then its type and pages are known
            _check_can_be_drawn(document, page)
        return document

    async def picture(self, document: Document, page: int, width_px: int) -> bytes:
        """The page as WebP.

        Raises:
            NotFound: `PAGE_NOT_FOUND`; or the document was deleted meanwhile.
            InvalidInput: `UNSUPPORTED_FORMAT`.
            DataLoss: `OBJECT_MISSING`.
            FailedPrecondition: another reason for which it cannot be drawn, such as `ENCRYPTED`.
            SheafError: storage or the orchestrator failed.
        """
        key = thumbnail_key(UUID(document.document_id), page, width_px)
        try:
            async with self._store.get(key) as content:
                return b"".join([chunk async for chunk in content.chunks])
        except NotFound:  # not drawn yet
            picture = await self._drawn(document, page, width_px)
            await self._unless_deleted(document)
            return picture

    async def _unless_deleted(self, document: Document) -> None:
        """Deletes what was just kept of a document that was deleted while it was drawn."""
        try:
            await self._records.document(UUID(document.document_id), _NOTHING)
        except NotFound:
            await self._store.delete_all(document.document_id, timeout_s=_DELETE_S)
            raise

    async def _drawn(self, document: Document, page: int, width_px: int) -> bytes:
        try:
            return await self._renderer.thumbnail(document, page, width_px)
        except NotFound as error:
            if error.reason == "PAGE_NOT_FOUND":
                raise
            raise await missing(self._records, document) from error
        except InvalidInput as error:
            if error.reason == "PAGE_NOT_FOUND":
                raise NotFound(error.reason, error.message, evidence=error.evidence) from error
            if error.reason == "UNSUPPORTED_FORMAT":
                raise
            raise FailedPrecondition(
                error.reason, error.message, evidence=error.evidence
            ) from error


def _check_can_be_drawn(document: Document, page: int) -> None:
    if not document.has_pictures:
        raise InvalidInput(
            "UNSUPPORTED_FORMAT",
            f"no pages are drawn of {document.content_type}",
            evidence={"content_type": document.content_type},
        )
    if page > document.page_count > 0:
        raise NotFound("PAGE_NOT_FOUND", f"the document has {document.page_count} pages")
