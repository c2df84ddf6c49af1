"""Claims about the load generator's process."""

from pathlib import Path

import pytest

from sheaf_dev.bench.load.content import Content
from sheaf_dev.bench.load.generator_process import generator
from sheaf_dev.bench.load.job import Job
from sheaf_dev.bench.load.plan import LoadPlan
from sheaf_dev.errors import DevError


async def test_a_generator_that_cannot_work_says_why(tmp_path: Path) -> None:
    """Where nothing listens nothing is measured."""
    Job("http://127.0.0.1:9", "key", LoadPlan(), 5.0, 1, [Content("a.txt", b"a")]).write(tmp_path)
    async with generator(tmp_path) as process:
        with pytest.raises(DevError, match=r"127\.0\.0\.1:9"):
            await process.ready(0.0)


async def test_a_generator_that_ends_by_itself_is_noticed(tmp_path: Path) -> None:
    """With its exit code; here it has no job."""
    async with generator(tmp_path) as process:
        with pytest.raises(DevError, match="ended with 1"):
            await process.ready(0.0)
