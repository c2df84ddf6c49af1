"""What the tests of the sandbox share."""

import contextlib
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
        before, others = descriptors(), psutil.Process().children()
        limits = limits or Limits(processes=10_000)
        async with ExtractionPool(
            limits, size=size, spares=spares, registry=registry, idle_s=idle_s
        ) as opened_pool:
            yield opened_pool
        assert _children(but=others) == set()
        assert not folders(temporary)
        assert descriptors().items() <= before.items()

    return opened


def _children(*, but: list[psutil.Process]) -> set[int]:
    """The processes below this one, but for servers of other tests and what those start and end."""
    own = set(psutil.Process().children()) - set(but)
    below = {each for child in own for each in _below(child)}
    return {process.pid for process in own | below}


def _below(child: psutil.Process) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return child.children(recursive=True)
    return []
