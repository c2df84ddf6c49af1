"""What happens to a document that kills its subprocess (design.md section 2.6)."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sheaf_orchestrator.extraction.errors import Quarantined, WorkerDied
from sheaf_orchestrator.extraction.sandbox.channel import Content
from sheaf_orchestrator.extraction.sandbox.pool import ExtractionPool
from sheaf_orchestrator.extraction.sandbox.protocol import Extraction, Request

T = TypeVar("T")


async def once_more_alone(work: Callable[[bool], Awaitable[T]]) -> T:
    """Work; if the subprocess dies, once more alone: in one that has seen nothing else.

    ``work`` is told whether its subprocess must be fresh. The first death may be the fault of
    documents before it in the same subprocess, or of the machine; the second is the document's.
    Takes up to twice ``wait_s + wall_s``.

    Raises Quarantined after the second death, and whatever else ``work`` raises.
    """
    try:
        return await work(False)
    except WorkerDied as first:
        try:
            return await work(True)
        except WorkerDied as second:
            raise Quarantined(second.reason, (first.evidence, second.evidence)) from second


async def extract_with_retry(
    pool: ExtractionPool, request: Request, content: Content
) -> Extraction:
    """Extract, if need be ``once_more_alone``."""
    return await once_more_alone(lambda fresh: pool.extract(request, content, fresh=fresh))
