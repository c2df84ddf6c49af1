"""The extractor: documents read in the sandbox's subprocesses."""

from dataclasses import dataclass

import structlog

from sheaf_common.errors import Unavailable
from sheaf_orchestrator.domain import DocumentTask, Failed, Quarantined
from sheaf_orchestrator.extraction import (
    ExtractionFailed,
    ExtractionPool,
    PoolError,
    Request,
    extract_with_retry,
)
from sheaf_orchestrator.extraction import Quarantined as DocumentQuarantined
from sheaf_orchestrator.ports import Extraction

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SandboxExtractor:
    """`Extractor` over the pool of subprocesses."""

    pool: ExtractionPool

    async def extract(
        self, task: DocumentTask, content: bytes
    ) -> Extraction | Failed | Quarantined:
        """See `Extractor`. Raises `Unavailable` while the sandbox cannot take the document."""
        request = Request(
            document_id=task.document_id,
            attempt=task.attempt,
            content_type=task.content_type,
            sha256=task.sha256,
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
        )
