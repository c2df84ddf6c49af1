"""One very large file through the API and back: the memory of what carries it stays bounded.

It runs without the orchestrator: what is measured is how bytes stream, not extraction.
"""

import asyncio
import contextlib
import hashlib
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import psutil

from sheaf_dev.errors import DevError
from sheaf_dev.stack import Stack

GROWTH_LIMIT_MIB: Final = 64
CARRIERS: Final = ("gateway", "storage")
_MIB: Final = 2**20
_SERVERS: Final = ("mariadb", "seaweedfs", "valkey")
_SERVICES: Final = ("storage", "metadata", "gateway")
_BOUNDARY: Final = "sheaf-bench-boundary"
_WARM_UP_MIB: Final = 2
_TIMEOUT_S: Final = 280.0
_LOOK_S: Final = 0.02
_LINE: Final = b"%012d all of this file is text, line by line, so that it is accepted.\n"


@dataclass(frozen=True, slots=True)
class Passage:
    """What it took; memory is resident, by process."""

    size_mib: int
    put_s: float
    get_s: float
    before_mib: Mapping[str, float]
    peak_mib: Mapping[str, float]

    @property
    def growth_mib(self) -> dict[str, float]:
        """How much each process grew at most."""
        return {name: self.peak_mib[name] - self.before_mib[name] for name in CARRIERS}

    @property
    def ok(self) -> bool:
        """Whether every process stayed within the limit."""
        return all(growth < GROWTH_LIMIT_MIB for growth in self.growth_mib.values())

    @property
    def columns(self) -> Sequence[str]:
        """Titles of the table."""
        return ("process", "before MiB", "peak MiB", "growth MiB", "limit")

    @property
    def rows(self) -> Sequence[Sequence[object]]:
        """A line for each process."""
        return [
            (
                name,
                round(self.before_mib[name], 1),
                round(self.peak_mib[name], 1),
                round(self.growth_mib[name], 1),
                GROWTH_LIMIT_MIB,
            )
            for name in CARRIERS
        ]

    @property
    def verdict(self) -> str:
        """With the times."""
        return f"{self.size_mib} MiB put in {self.put_s:.1f} s, got in {self.get_s:.1f} s: " + (
            "within the limit" if self.ok else "over the limit"
        )

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "scenario": "large-object",
            "size_mib": self.size_mib,
            "put_s": round(self.put_s, 2),
            "get_s": round(self.get_s, 2),
            "before_mib": _rounded(self.before_mib),
            "peak_mib": _rounded(self.peak_mib),
            "growth_mib": _rounded(self.growth_mib),
            "growth_limit_mib": GROWTH_LIMIT_MIB,
            "ok": self.ok,
        }


async def pass_large_object(size_mib: int, on_progress: Callable[[str], None]) -> Passage:
    """Puts one file of that size and gets it back, on a stack of its own.

    A small file goes the same way first, so that what is loaded or made once does not count.

    Raises:
        DevError: the stack could not be started, the file was refused, or what came back is
            not what was sent.
    """
    limit = str((size_mib + 1) * _MIB)
    limits = {"UPLOAD_MAX_FILE_BYTES": limit, "UPLOAD_MAX_BODY_BYTES": str(int(limit) + _MIB)}
    with tempfile.TemporaryDirectory(prefix="sheaf-bench-") as folder:
        private = Stack.private(
            Path(folder), services=_SERVICES, servers=_SERVERS, env_overrides={"gateway": limits}
        )
        async with private as stack, _client(stack) as http:
            on_progress("warming up")
            await _there_and_back(http, _WARM_UP_MIB)
            processes = {name: psutil.Process(stack.pid(name)) for name in CARRIERS}
            before = {name: _rss_mib(process) for name, process in processes.items()}
            on_progress(f"{size_mib} MiB there and back")
            async with _peaks(processes) as peaks:
                put_s, get_s = await _there_and_back(http, size_mib)
    return Passage(size_mib, put_s, get_s, before, peaks)


def _client(stack: Stack) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"http://{stack.address('gateway')}",
        headers={"Authorization": f"Bearer {stack.env['SHEAF_API_KEY']}"},
        timeout=_TIMEOUT_S,
        trust_env=False,
    )


async def _there_and_back(http: httpx.AsyncClient, size_mib: int) -> tuple[float, float]:
    sent = hashlib.sha256()
    started = time.perf_counter()
    answer = await http.post(
        "/v1/documents",
        content=_body(size_mib, sent),
        headers={"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"},
    )
    put_s = time.perf_counter() - started
    if answer.status_code != httpx.codes.ACCEPTED:
        raise DevError(f"the file was refused: {answer.status_code} {answer.text[:500]}")
    (document,) = answer.json()["documents"]
    received = hashlib.sha256()
    started = time.perf_counter()
    async with http.stream("GET", f"/v1/documents/{document['id']}/content") as content:
        async for chunk in content.aiter_raw():
            received.update(chunk)
    get_s = time.perf_counter() - started
    if not document["sha256"] == sent.hexdigest() == received.hexdigest():
        raise DevError("what came back is not what was sent")
    return put_s, get_s


async def _body(size_mib: int, digest: "hashlib._Hash") -> AsyncIterator[bytes]:
    """A multipart body with one file of text, made as it is sent."""
    yield (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="large.txt"'
        "\r\nContent-Type: text/plain\r\n\r\n"
    ).encode()
    number = 0
    for _ in range(size_mib):
        piece = bytearray()
        while len(piece) < _MIB:
            piece += _LINE % number
            number += 1
        del piece[_MIB:]
        digest.update(piece)
        yield bytes(piece)
    yield f"\r\n--{_BOUNDARY}--\r\n".encode()


@contextlib.asynccontextmanager
async def _peaks(processes: Mapping[str, psutil.Process]) -> AsyncIterator[dict[str, float]]:
    """The highest resident memory of each process in the block, looked at all the time."""
    peaks = {name: _rss_mib(process) for name, process in processes.items()}

    async def watch() -> None:
        while True:
            for name, process in processes.items():
                peaks[name] = max(peaks[name], _rss_mib(process))
            await asyncio.sleep(_LOOK_S)

    watching = asyncio.create_task(watch())
    try:
        yield peaks
    finally:
        watching.cancel()
        await asyncio.wait([watching])


def _rss_mib(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / _MIB


def _rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 1) for name, value in figures.items()}
