"""What happens to a document that kills its subprocess (design.md section 2.6)."""

from sheaf_orchestrator.extraction.errors import Quarantined, WorkerDied
from sheaf_orchestrator.extraction.sandbox.channel import Content
from sheaf_orchestrator.extraction.sandbox.pool import ExtractionPool
from sheaf_orchestrator.extraction.sandbox.protocol import Extraction, Request


async def extract_with_retry(
    pool: ExtractionPool, request: Request, content: Content
) -> Extraction:
    """Extract; if the subprocess dies, once more alone: in one that has seen nothing else.

    The first death may be the fault of documents before it in the same subprocess, or of the
    machine; the second is the document's. Takes up to twice ``wait_s + wall_s``.

    Raises Quarantined after the second death, and whatever else ``pool.extract`` raises.
    """
    try:
        return await pool.extract(request, content)
    except WorkerDied as first:
        try:
            return await pool.extract(request, content, fresh=True)
        except WorkerDied as second:
            raise Quarantined(second.reason, (first.evidence, second.evidence)) from second
