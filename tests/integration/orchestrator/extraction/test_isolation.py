"""What a subprocess can see and do."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from integration.orchestrator.extraction.claims import alive, folders, request, said
from integration.orchestrator.extraction.conftest import PoolFactory

from sheaf_orchestrator.extraction import ExtractionPool, Limits
from support.waiting import until


async def facts(opened: ExtractionPool) -> dict[str, Any]:
    """What a subprocess reports about itself."""
    extraction = await opened.extract(request("test/report"), b"")
    return dict(msgspec.json.decode(said(extraction)))


async def test_the_environment_holds_nothing(
    pool: PoolFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No variable of the parent is passed on: no key, no address, no token."""
    for name in ("AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "S3_ENDPOINT_URL", "GRPC_TOKEN"):
        monkeypatch.setenv(name, "secret")
    async with pool() as opened:
        seen = (await facts(opened))["environment"]
    assert set(seen) == {
        "HOME",
        "LC_ALL",
        "MALLOC_ARENA_MAX",
        "OMP_NUM_THREADS",
        "OMP_THREAD_LIMIT",
        "OPENBLAS_NUM_THREADS",
        "PATH",
        "PYTHONPATH",
        "TMPDIR",
    }
    assert "secret" not in str(seen)


async def test_its_folder_is_its_own_and_goes_with_it(pool: PoolFactory, temporary: Path) -> None:
    """It works in a private temporary folder inside the pool's, removed with what it left."""
    async with pool() as opened:
        seen = await facts(opened)
        assert seen["temporary"] == seen["folder"]
        assert Path(seen["folder"]).parent.parent == temporary
        assert seen["mode"] == "0o40700"
        assert folders(temporary)
    assert not folders(temporary)


async def test_it_holds_no_descriptor_of_the_parent(pool: PoolFactory, tmp_path: Path) -> None:
    """Only the standard three, its two pipes, and the one that lists them."""
    with (tmp_path / "secret").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        async with pool() as opened:
            assert len((await facts(opened))["descriptors"]) == 6


async def test_its_isolation_is_reported(pool: PoolFactory) -> None:
    """Without network when the kernel allows it, and said so when not."""
    async with pool() as opened:
        seen = await facts(opened)
        mode = opened.stats().isolation
    assert mode in {"netns", "none"}
    if mode == "netns":
        assert (seen["interfaces"], seen["network"]) == (["lo"], "OSError")


async def test_the_kernel_holds_its_limits(pool: PoolFactory) -> None:
    """Memory, files, processes, core dumps and privileges are bounded by the kernel."""
    limits = Limits(address_space_bytes=1_500_000_000, open_files=50, processes=7)
    async with pool(limits) as opened:
        seen = await facts(opened)
    table = {line[:25].strip(): line[25:].split()[:2] for line in seen["limits"].splitlines()}
    assert table["Max address space"] == ["1500000000", "1500000000"]
    assert table["Max open files"] == ["50", "50"]
    assert table["Max processes"] == ["7", "7"]
    assert table["Max core file size"] == ["0", "0"]
    assert table["Max file size"] == ["100663296", "100663296"]
    assert "NoNewPrivs:\t1" in seen["status"]
    assert "CapEff:\t0000000000000000" in seen["status"]


async def test_it_loads_only_what_it_needs(pool: PoolFactory) -> None:
    """Neither an event loop nor gRPC nor the rest of the service is in its memory."""
    async with pool() as opened:
        loaded = set((await facts(opened))["loaded"])
    assert not loaded & {"asyncio", "grpc", "temporalio", "sheaf_common", "site", "psutil"}


async def test_no_subprocess_outlives_a_killed_parent(tmp_path: Path) -> None:
    """When the parent is killed with -9 its subprocesses, working or not, die with it."""
    program = (Path(__file__).parent / "killed_parent.py").read_text()
    parent = subprocess.Popen(  # noqa: ASYNC220 # it outlives this line and dies by our hand
        [sys.executable, "-c", program, str(tmp_path)],
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        await until((tmp_path / "pids").exists)
        await until(lambda: list(tmp_path.glob("began-*")))
        pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        assert all(alive(pid) for pid in pids)
    finally:
        parent.kill()
        parent.wait()
    await until(lambda: not any(alive(pid) for pid in pids), timeout_s=5)


async def test_folders_of_a_killed_parent_are_swept(pool: PoolFactory, temporary: Path) -> None:
    """The next pool removes what a killed one left, but nothing that is in use or just made."""
    for name, age_s in (("old", 120), ("new", 0)):
        folder = temporary / f"sheaf-extraction-{name}"
        folder.mkdir()
        (folder / ".lock").touch()
        (folder / "document").touch()
        stamp = folder.stat().st_mtime - age_s
        os.utime(folder, (stamp, stamp))
    async with ExtractionPool(Limits(), size=1, spares=0) as other:
        (theirs,) = [path for path in folders(temporary) if path.name[-3:] not in "old new"]
        os.utime(theirs, (0, 0))
        async with ExtractionPool(Limits(), size=1, spares=0):
            assert not (temporary / "sheaf-extraction-old").exists()
            assert (temporary / "sheaf-extraction-new" / "document").exists()
            assert theirs.exists()
        assert other.stats().ready == 1
