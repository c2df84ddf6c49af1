"""What the tests of the sandbox share."""

import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import psutil
import pytest
from integration.orchestrator.extraction.claims import MISBEHAVING, descriptors, folders

from sheaf_orchestrator.extraction import ExtractionPool, Limits

collect_ignore = [] if os.environ.get("SHEAF_CORPUS") else ["test_corpus.py"]

PoolFactory = Callable[..., AbstractAsyncContextManager[ExtractionPool]]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of this process, for one test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def pool(temporary: Path) -> PoolFactory:
    """Opens a pool of one misbehaving subprocess and a spare; checks that it leaves nothing."""

    @asynccontextmanager
    async def opened(
        limits: Limits | None = None,
        *,
        size: int = 1,
        spares: int = 1,
        registry: str = MISBEHAVING,
        idle_s: float | None = None,
    ) -> AsyncIterator[ExtractionPool]:
        before, others = descriptors(), _children()
        limits = limits or Limits(processes=10_000)
        async with ExtractionPool(
            limits, size=size, spares=spares, registry=registry, idle_s=idle_s
        ) as opened_pool:
            yield opened_pool
        assert _children() == others
        assert not folders(temporary)
        assert descriptors().items() <= before.items()

    return opened


def _children() -> set[int]:
    """The processes below this one; servers of other tests are among them."""
    return {child.pid for child in psutil.Process().children(recursive=True)}
