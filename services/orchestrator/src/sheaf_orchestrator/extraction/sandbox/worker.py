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
import traceback
from importlib import import_module
from typing import Any

import msgspec

from sheaf_orchestrator.extraction import markdown
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.limits import MIB, Limits
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import (
    Attachment,
    Extracted,
    Result,
    encode_result,
)
from sheaf_orchestrator.extraction.sandbox.isolation import OrphanedError, allow_cpu, confine
from sheaf_orchestrator.extraction.sandbox.protocol import (
    PREFIX,
    Done,
    Failed,
    Hello,
    Request,
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
        isolation = confine(limits, int(parent_pid))
    except OrphanedError:
        return
    registry = import_module(registry_name)
    registry.prepare(limits)
    gc.collect()
    gc.freeze()
    hello = Hello(
        isolation=isolation,
        versions=registry.library_versions(),
        rss_bytes=_rss_bytes(),
        counted_peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )
    _send(replies, hello, b"")
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
            reply, body = self._handle(decode_request(header), body_bytes, began_s)
            _send(self._replies, reply, body)

    def _handle(self, request: Request, size: int, began_s: float) -> tuple[Done | Failed, bytes]:
        try:
            result = self._extract(request, size)
            body = encode_result(result)
        except ExtractionError as error:
            return _failed(error.reason, error.message, began_s), b""
        except MemoryError:
            message = f"More than {self._limits.address_space_bytes // MIB} MiB were needed."
            return _failed(Reason.MEMORY_LIMIT, message, began_s), b""
        except Exception as error:  # noqa: BLE001 # whatever a document provokes is an outcome
            traceback.print_exc()
            message = f"The extractor failed: {type(error).__name__}."
            return _failed(Reason.EXTRACTOR_ERROR, message, began_s), b""
        done = Done(
            page_count=result.page_count,
            character_count=result.character_count,
            partial=result.partial,
            cpu_ms=_cpu_ms(began_s),
            rss_bytes=_trimmed_rss_bytes(),
        )
        return done, body

    def _extract(self, request: Request, size: int) -> Result:
        content = _read_body(self._requests, size)
        content_type: str = self._registry.detect(content, request.content_type)
        extractor = self._registry.find_extractor(content_type)
        if extractor is None:
            message = f"Documents of type {content_type[:100]} cannot be read."
            raise ExtractionError(Reason.UNSUPPORTED_FORMAT, message)
        extracted: Extracted = extractor(content, request.options, self._limits)
        return Result(
            document_id=request.document_id,
            attempt=request.attempt,
            content_type=content_type,
            size_bytes=size,
            sha256=request.sha256,
            page_count=extracted.page_count,
            character_count=sum(page.characters for page in extracted.pages),
            partial=extracted.partial,
            metadata=extracted.metadata,
            pages=extracted.pages,
            outline=extracted.outline,
            warnings=extracted.warnings,
            unit=extracted.unit,
            markdown=markdown.join(extracted.markdown),
            fields=extracted.fields,
            attachments=[
                Attachment(
                    filename=each.filename,
                    size_bytes=len(each.content),
                    content_type=each.content_type,
                )
                for each in extracted.attachments
            ],
        )


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


def _send(pipe: io.FileIO, header: Hello | Done | Failed, body: bytes) -> None:
    for part in (frame(header, len(body)), body):
        left = memoryview(part)
        while left:
            left = left[pipe.write(left) :]


def _failed(reason: Reason, message: str, began_s: float) -> Failed:
    return Failed(
        reason=reason, message=message, cpu_ms=_cpu_ms(began_s), rss_bytes=_trimmed_rss_bytes()
    )


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
