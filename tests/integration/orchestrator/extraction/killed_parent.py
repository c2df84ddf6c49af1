"""A program with a pool at work, to be killed."""

import asyncio
import sys
from pathlib import Path

from sheaf_orchestrator.extraction import ExtractionPool, Limits, Request


async def main() -> None:
    """Write down the pids of the subprocesses and have one of them busy."""
    folder = Path(sys.argv[1])
    registry = "integration.orchestrator.extraction.misbehaving"
    async with ExtractionPool(Limits(), size=1, spares=1, registry=registry) as pool:
        while pool.stats().ready < 2:  # noqa: ASYNC110 # nothing else happens in this program
            await asyncio.sleep(0.01)
        (folder / "pids.new").write_text(" ".join(map(str, pool.stats().pids)))
        (folder / "pids.new").rename(folder / "pids")
        request = Request(document_id="x", attempt=1, content_type="test/wait")
        await pool.extract(request, str(folder).encode())


asyncio.run(main())
