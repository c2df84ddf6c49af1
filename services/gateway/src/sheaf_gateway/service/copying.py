"""Copying results, so that a document whose content is known completes as it is registered."""

import asyncio
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal, get_args
from uuid import UUID

import msgspec
import structlog
import zstandard

from sheaf_common import context
from sheaf_common.errors import NotFound, SheafError
from sheaf_gateway import metrics
from sheaf_gateway.domain.object_keys import copied_result_key
from sheaf_gateway.domain.registration import CopiedResult, Reusable
from sheaf_gateway.ports.objects import ObjectContent, ObjectStore
from sheaf_gateway.settings import ResultSettings

log = structlog.get_logger()

_THREAD_BYTES: Final = 128 * 1024
"""Results over this are copied in a thread: smaller ones take about a millisecond."""
_LARGE_AT_ONCE: Final = 2
_LEVEL: Final = 3
"""As results are stored by extraction."""

Cause = Literal[
    "reused",
    "changed",
    "gone",
    "too_large",
    "encrypted",
    "attachments",
    "invalid",
    "failed",
    "late",
]
"""What became of a result that could be reused; all but the first: its document is processed."""


class _Named(msgspec.Struct):
    document_id: str | None = None


class _Warned(msgspec.Struct):
    code: str = ""


class _Metadata(msgspec.Struct):
    encrypted: bool = False


class _Head(msgspec.Struct):
    """What decides whether a result can be copied; other members are ignored."""

    schema: Literal["sheaf.result/1"]
    document_id: str
    metadata: _Metadata
    warnings: list[_Warned] = []
    attachments: list[_Named] = []


# There from the start, so that the first of each is an increase.
for _cause in get_args(Cause):
    metrics.DUPLICATES.labels(_cause)

_head = msgspec.json.Decoder(_Head).decode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class _NotCopied(Exception):
    def __init__(self, cause: Cause) -> None:
        super().__init__(cause)
        self.cause: Cause = cause


class ResultCopier:
    """Copies results within bounds of time, memory and how many at once."""

    def __init__(self, store: ObjectStore, limits: ResultSettings) -> None:
        self._store = store
        self._limits = limits
        self._slots = asyncio.Semaphore(limits.reuse_copies)
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)

    @property
    def copies_any(self) -> bool:
        """Whether results are reused at all."""
        return self._limits.reuse_copies > 0

    async def copies(self, found: Sequence[Reusable]) -> Mapping[UUID, CopiedResult]:
        """The copies that could be made, by the document that each is for.

        Whatever fails or is not done within `reuse_timeout_s` is left out, and counted.
        """
        limit_s = self._limits.reuse_timeout_s
        request = context.current() or context.RequestContext(context.new_request_id())
        with context.bound(replace(request, deadline=time.monotonic() + limit_s)):
            tasks = {each: asyncio.create_task(self._outcome(each)) for each in found}
        try:
            await asyncio.wait(tasks.values(), timeout=limit_s)
        finally:
            late = [task for task in tasks.values() if not task.done()]
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        copies: dict[UUID, CopiedResult] = {}
        for each, task in tasks.items():
            outcome = _ended(task)
            if isinstance(outcome, CopiedResult):
                copies[each.document_id] = outcome
            else:
                _count(outcome)
        return copies

    async def discard(self, copies: Mapping[UUID, CopiedResult]) -> None:
        """Removes copies of documents that do not come to be; what stays is left to the sweep."""
        try:
            keys = [copied.result_key for copied in copies.values()]
            await self._store.delete(keys, timeout_s=self._limits.reuse_timeout_s)
        except SheafError as error:
            log.warning("copied results are left to the sweep", error=str(error))

    async def _outcome(self, found: Reusable) -> CopiedResult | Cause:
        try:
            async with self._slots:
                return await self._copy(found)
        except _NotCopied as reason:
            cause = reason.cause
        except NotFound:
            cause = "gone"
        except SheafError as error:
            log.warning("a result is not reused", source=str(found.source_id), error=str(error))
            cause = "failed"
        return cause

    async def _copy(self, found: Reusable) -> CopiedResult:
        async with self._store.get(found.source_result_key) as content:
            packed = await self._packed(content)
        size = _unpacked_size(packed)
        if not 0 <= size <= self._limits.reuse_max_bytes:
            raise _NotCopied("too_large")
        if size <= _THREAD_BYTES:
            copy = _rewritten(packed, found)
        else:
            async with self._large:
                copy = await asyncio.to_thread(_rewritten, packed, found)
        key = copied_result_key(found.document_id)
        await self._store.put_result(key, copy, timeout_s=self._limits.reuse_timeout_s)
        return CopiedResult(found.source_id, found.source_result_key, key)

    async def _packed(self, content: ObjectContent) -> bytes:
        if content.stored.size_bytes > self._limits.reuse_max_bytes:
            raise _NotCopied("too_large")
        return b"".join([chunk async for chunk in content.chunks])


def _ended(task: asyncio.Task[CopiedResult | Cause]) -> CopiedResult | Cause:
    """What a task came to; a bug costs a copy, not the upload."""
    if task.cancelled():
        return "late"
    if (bug := task.exception()) is not None:
        trace = "".join(traceback.format_exception(bug))
        log.error("copying a result failed unexpectedly", error=repr(bug), trace=trace)
        return "failed"
    return task.result()


def count_registered(copies: Mapping[UUID, CopiedResult], completed: int) -> None:
    """Counts copies by whether their documents were registered as completed."""
    _count("reused", completed)
    _count("changed", len(copies) - completed)


def _count(cause: Cause, count: int = 1) -> None:
    metrics.DUPLICATES.labels(cause).inc(count)


def _unpacked_size(packed: bytes) -> int:
    try:
        return zstandard.frame_content_size(packed)
    except zstandard.ZstdError as error:
        raise _NotCopied("invalid") from error


def _rewritten(packed: bytes, found: Reusable) -> bytes:
    """The result as the new document's: its id and first attempt, everything else byte for byte.

    What was opened with a password stays with who gave it: of an encrypted document, and of one
    that was repaired, which may have been encrypted, nothing is copied. Nor is what names
    documents inside it: those are the source's.
    """
    try:
        content = zstandard.ZstdDecompressor().decompress(packed)
        head, members = _head(content), _members(content)
    except (zstandard.ZstdError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _NotCopied("invalid") from error
    if head.document_id != str(found.source_id):
        raise _NotCopied("invalid")
    if head.metadata.encrypted or any(each.code == "REPAIRED" for each in head.warnings):
        raise _NotCopied("encrypted")
    if any(each.document_id is not None for each in head.attachments):
        raise _NotCopied("attachments")
    members["document_id"] = msgspec.Raw(msgspec.json.encode(str(found.document_id)))
    members["attempt"] = msgspec.Raw(b"1")
    return zstandard.ZstdCompressor(level=_LEVEL).compress(msgspec.json.encode(members))
