"""Real documents of strangers, in the folder that SHEAF_CORPUS names.

The project ships none, so this file is collected only where the variable is set.
"""

import os
import time
from pathlib import Path

import pytest
from integration.orchestrator.extraction.conftest import PoolFactory

from sheaf_orchestrator.extraction import (
    ExtractionFailed,
    Limits,
    Reason,
    Request,
    extract_with_retry,
)
from sheaf_orchestrator.extraction.sandbox.launch import DEFAULT_REGISTRY

CONTENT_TYPES = {
    ".csv": "text/csv",
    ".eml": "message/rfc822",
    ".fuzz": "application/pdf",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".msg": "application/x-ole-storage",
    ".pdf": "application/pdf",
    ".txt": "text/plain",
    ".xml": "text/xml",
}


def corpus() -> list[Path]:
    """The files of the types that are read."""
    folder = Path(os.environ["SHEAF_CORPUS"])
    return [path for path in sorted(folder.rglob("*")) if path.suffix in CONTENT_TYPES]


@pytest.mark.timeout(600)
async def test_every_file_of_the_corpus_ends(pool: PoolFactory) -> None:
    """Each file ends within 30 s in a result or a reason."""
    files = corpus()
    assert files
    reasons: dict[str, Reason] = {}
    async with pool(Limits(), registry=DEFAULT_REGISTRY) as opened:
        for path in files:
            request = Request(
                document_id=path.name, attempt=1, content_type=CONTENT_TYPES[path.suffix]
            )
            began = time.monotonic()
            try:
                await extract_with_retry(opened, request, path.read_bytes())
            except ExtractionFailed as error:
                reasons[path.name] = error.reason
            assert time.monotonic() - began < 30, path.name
        assert opened.stats().documents == len(files)
        assert not set(opened.stats().restarts) - {"documents", "rss"}
    assert set(reasons.values()) <= {
        Reason.DAMAGED,
        Reason.EMPTY,
        Reason.ENCRYPTED,
        Reason.UNSUPPORTED_FORMAT,
    }
