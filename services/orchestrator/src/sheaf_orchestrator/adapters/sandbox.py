"""Documents read and drawn in the sandbox's subprocesses."""

from dataclasses import dataclass

import structlog

from sheaf_common.errors import InvalidInput, OverCapacity, Unavailable
from sheaf_orchestrator.domain import DocumentTask, Failed, Quarantined
from sheaf_orchestrator.extraction import (
    ExtractionFailed,
    ExtractionPool,
    Options,
    PoolBusy,
    PoolError,
    Reason,
    Recognised,
    RecognisedPage,
    RecogniseRequest,
    Request,
    ResultWarning,
    ThumbnailRequest,
    extract_with_retry,
    once_more_alone,
)
from sheaf_orchestrator.extraction import Quarantined as DocumentQuarantined
from sheaf_orchestrator.ports import Extraction

log = structlog.get_logger()


def _options(task: DocumentTask, password: bytes | None) -> Options:
    return Options(
        words=task.words,
        ocr=task.ocr,
        ocr_languages=task.ocr_languages,
        pages=task.pages,
        password=password,
    )


@dataclass(frozen=True, slots=True)
class SandboxExtractor:
    """`Extractor` over a pool of subprocesses."""

    pool: ExtractionPool

    async def extract(
        self, task: DocumentTask, content: bytes, password: bytes | None
    ) -> Extraction | Failed | Quarantined:
        """See `Extractor`. Raises `Unavailable` while the sandbox cannot take the document."""
        request = Request(
            document_id=task.document_id,
            attempt=task.attempt,
            content_type=task.content_type,
            sha256=task.sha256,
            options=_options(task, password),
            depth=task.depth,
        )
        try:
            done = await extract_with_retry(self.pool, request, content)
        except ExtractionFailed as failure:
            return Failed(failure.reason.value, failure.message)
        except DocumentQuarantined as failure:
            log.error(  # noqa: TRY400 - the evidence says it all
                "document quarantined",
                document_id=task.document_id,
                reason=failure.reason.value,
                evidence=failure.evidence,
            )
            return Quarantined(failure.reason.value, failure.reason.sentence)
        except PoolError as failure:
            raise Unavailable("SANDBOX_UNAVAILABLE", str(failure)) from failure
        return Extraction(
            result=done.result,
            page_count=done.page_count,
            character_count=done.character_count,
            partial=done.partial,
            content_type=done.content_type,
            ocr_pages=done.ocr_pages,
            attachments=done.attachments,
        )


@dataclass(frozen=True, slots=True)
class SandboxRecogniser:
    """`PageRecogniser` over a pool of subprocesses, one page a request.

    So the limits are those of a page, and a page that kills its subprocess takes no other along.
    """

    pool: ExtractionPool

    async def recognise(
        self, task: DocumentTask, content: bytes, page: int, password: bytes | None
    ) -> Recognised:
        """See `PageRecogniser`. Raises `Unavailable` while the sandbox cannot take the page."""
        request = RecogniseRequest(
            document_id=task.document_id,
            content_type=task.content_type,
            pages=(page,),
            options=_options(task, password),
        )
        try:
            return await once_more_alone(
                lambda fresh: self.pool.recognise(request, content, fresh=fresh)
            )
        except ExtractionFailed as failure:
            return _failed(page, failure.reason, failure.message)
        except DocumentQuarantined as failure:
            log.error(  # noqa: TRY400 - the evidence says it all
                "page given up",
                document_id=task.document_id,
                page=page,
                reason=failure.reason.value,
                evidence=failure.evidence,
            )
            return _failed(page, failure.reason, failure.reason.sentence)
        except PoolError as failure:
            raise Unavailable("SANDBOX_UNAVAILABLE", str(failure)) from failure


def _failed(page: int, reason: Reason, message: str) -> Recognised:
    """A page that is missing, with its reason."""
    warning = ResultWarning(code=reason.value, message=message, page=page)
    missing = RecognisedPage(
        number=page,
        width=None,
        height=None,
        text="",
        confidence=None,
        failed=True,
        warnings=[warning],
    )
    return Recognised(engine="", pages=[missing])


@dataclass(frozen=True, slots=True)
class SandboxDrawer:
    """`PageDrawer` over a pool of subprocesses."""

    pool: ExtractionPool

    async def thumbnail(
        self, document_id: str, content_type: str, content: bytes, *, page: int, width_px: int
    ) -> bytes:
        """See `PageDrawer`."""
        request = ThumbnailRequest(
            document_id=document_id, content_type=content_type, page=page, width_px=width_px
        )
        try:
            return await once_more_alone(
                lambda fresh: self.pool.thumbnail(request, content, fresh=fresh)
            )
        except ExtractionFailed as failure:
            raise InvalidInput(failure.reason.value, failure.message) from failure
        except DocumentQuarantined as failure:
            log.warning("page not drawn", document_id=document_id, evidence=failure.evidence)
            raise InvalidInput(failure.reason.value, failure.reason.sentence) from failure
        except PoolBusy as failure:
            raise OverCapacity("SANDBOX_BUSY", str(failure), retry_after_s=1.0) from failure
        except PoolError as failure:
            raise Unavailable("SANDBOX_UNAVAILABLE", str(failure)) from failure
