"""The subprocess: reads a document, answers with its result, and so on until end of file.

Started by ``launch.py`` with the registry's module name, the parent's pid and the limits as
JSON. It imports neither asyncio nor anything of the service outside ``extraction``.
"""

import ctypes
import gc
import io
import os
import resource
import sys
import time
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from typing import Any

import msgspec

from sheaf_orchestrator.extraction.limits import MIB, Limits
from sheaf_orchestrator.extraction.sandbox.answering import Answered, Refused, answer
from sheaf_orchestrator.extraction.sandbox.isolation import OrphanedError, allow_cpu, confine
from sheaf_orchestrator.extraction.sandbox.protocol import (
    PREFIX,
    Done,
    Drawn,
    Failed,
    Hello,
    decode_request,
    frame,
)

_TRIM_RSS_BYTES = 96 * MIB
_DISCARD_BYTES = 1 * MIB


def main() -> None:
    """Serve until the parent closes the pipe, then exit with 0."""
    registry_name, parent_pid, encoded_limits = sys.argv[1:4]
    limits = msgspec.json.decode(encoded_limits, type=Limits)
    requests, replies = _take_pipes()
    try:
        confinement = confine(limits, int(parent_pid))
    except OrphanedError:
        return
    registry = import_module(registry_name)
    registry.prepare(limits)
    gc.collect()
    gc.freeze()
    hello = Hello(
        isolation=confinement.isolation,
        priority=confinement.priority,
        versions=registry.library_versions(),
        rss_bytes=_rss_bytes(),
        counted_peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )
    _send(replies, hello)
    registry.warm(limits)
    gc.freeze()
    Worker(registry, limits, requests, replies).serve()


class Worker:
    """One document at a time."""

    def __init__(
        self, registry: Any, limits: Limits, requests: io.FileIO, replies: io.FileIO
    ) -> None:
        self._registry, self._limits = registry, limits
        self._requests, self._replies = requests, replies

    def serve(self) -> None:
        """Answer requests until end of file."""
        while (prefix := _read(self._requests, PREFIX.size)) is not None:
            began_s = time.thread_time()
            allow_cpu(self._limits, time.process_time())
            header_bytes, body_bytes = PREFIX.unpack(prefix)
            header = _read(self._requests, header_bytes)
            if header is None:
                return
            read = partial(_read_body, self._requests, body_bytes)
            given = answer(self._registry, self._limits, decode_request(header), read)
            self._send(given, began_s)

    def _send(self, given: Answered | Refused, began_s: float) -> None:
        cpu_ms, rss_bytes = _cpu_ms(began_s), _trimmed_rss_bytes()
        if isinstance(given, Refused):
            failed = Failed(
                reason=given.reason, message=given.message, cpu_ms=cpu_ms, rss_bytes=rss_bytes
            )
            _send(self._replies, failed)
        elif given.result is None:
            _send(self._replies, Drawn(cpu_ms=cpu_ms, rss_bytes=rss_bytes), given.body)
        else:
            done = Done(
                page_count=given.result.page_count,
                character_count=given.result.character_count,
                partial=given.result.partial,
                content_type=given.result.content_type,
                result_bytes=len(given.body[0]),
                ocr_pages=given.ocr_pages,
                attachments=given.files,
                cpu_ms=cpu_ms,
                rss_bytes=rss_bytes,
            )
            _send(self._replies, done, given.body)


def _take_pipes() -> tuple[io.FileIO, io.FileIO]:
    """Keep the pipes to ourselves: a library that prints must not break the frames."""
    requests, replies = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    return io.FileIO(requests, "r"), io.FileIO(replies, "w")


def _read(pipe: io.FileIO, size: int) -> bytearray | None:
    """Exactly ``size`` bytes into one buffer, or None at end of file."""
    buffer = bytearray(size)
    left = memoryview(buffer)
    while left:
        count = pipe.readinto(left)
        if not count:
            return None
        left = left[count:]
    return buffer


def _read_body(pipe: io.FileIO, size: int) -> bytearray:
    """The document. Raises MemoryError only after taking it off the pipe."""
    try:
        body = _read(pipe, size)
    except MemoryError:
        while size > 0 and (chunk := pipe.read(min(size, _DISCARD_BYTES))):
            size -= len(chunk)
        raise
    if body is None:
        sys.exit(0)
    return body


def _send(pipe: io.FileIO, header: msgspec.Struct, body: Sequence[bytes] = ()) -> None:
    for part in (frame(header, sum(map(len, body))), *body):
        left = memoryview(part)
        while left:
            left = left[pipe.write(left) :]


def _cpu_ms(began_s: float) -> float:
    # Of the only thread: under RLIMIT_CPU Linux reads the process's clock in ticks of 4 ms.
    return round((time.thread_time() - began_s) * 1e3, 3)


def _rss_bytes() -> int:
    try:
        with open("/proc/self/statm", "rb", buffering=0) as statm:  # noqa: PTH123 # no pathlib here
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0  # not Linux: only the count of documents recycles


def _trimmed_rss_bytes() -> int:
    """Resident memory; when it is large, after giving free heap back to the kernel."""
    rss = _rss_bytes()
    if rss > _TRIM_RSS_BYTES and sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
        return _rss_bytes()
    return rss


if __name__ == "__main__":
    main()
