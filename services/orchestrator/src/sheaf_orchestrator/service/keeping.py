"""Keeping what was found: the result object, and the files that become documents."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from msgspec import structs

from sheaf_common.errors import AlreadyExists, InvalidInput
from sheaf_common.failpoints import failpoint
from sheaf_common.ids import derived_id
from sheaf_orchestrator.domain import (
    Attachment,
    Completed,
    DocumentTask,
    attachment_filename,
    original_key,
    result_key,
)
from sheaf_orchestrator.extraction import (
    AttachedFile,
    ResultWarning,
    decode_result,
    encode_result,
)
from sheaf_orchestrator.extraction.identity import attachment_label
from sheaf_orchestrator.ports import Extraction, Objects
from sheaf_orchestrator.service.reading import DocumentReader
from sheaf_orchestrator.service.steps import Steps

log = structlog.get_logger()

_ZSTD: Final = "application/zstd"


@dataclass(frozen=True, slots=True)
class WholeResult:
    """An encoded result, its numbers, and the attachments that it names."""

    result: bytes
    page_count: int
    character_count: int
    partial: bool
    content_type: str
    attachments: tuple[Attachment, ...]


@dataclass(frozen=True, slots=True)
class ResultKeeper:
    """Stores results and attached files through `objects`."""

    objects: Objects
    reader: DocumentReader

    async def keep(
        self, task: DocumentTask, workflow_id: str, extracted: Extraction, steps: Steps
    ) -> Completed:
        """Stores all of it; what is recorded of the document then. Raises `SheafError`."""
        attachments, result = await self.keep_attachments(task, extracted, steps)
        whole = WholeResult(
            result=result,
            page_count=extracted.page_count,
            character_count=extracted.character_count,
            partial=extracted.partial,
            content_type=extracted.content_type,
            attachments=attachments,
        )
        return await self.keep_whole(task, workflow_id, whole, steps)

    async def keep_whole(
        self, task: DocumentTask, workflow_id: str, whole: WholeResult, steps: Steps
    ) -> Completed:
        """Stores a result whose attachments are stored. Raises `SheafError`."""
        key = result_key(task, workflow_id)
        await self.put(key, whole.result, steps)
        await failpoint("cpu.result_put")
        return Completed(
            result_key=key,
            page_count=whole.page_count,
            character_count=whole.character_count,
            partial=whole.partial,
            content_type=whole.content_type,
            attachments=whole.attachments,
        )

    async def put(self, key: str, content: bytes, steps: Steps) -> None:
        """Stores an object of one attempt and workflow.

        One that is there was put by an earlier try of the same work, and is as good.
        """
        try:
            await steps.run("put", lambda: self.objects.put(key, content, content_type=_ZSTD))
        except AlreadyExists:
            log.info("put before by another try", key=key)

    async def keep_attachments(
        self, task: DocumentTask, extracted: Extraction, steps: Steps
    ) -> tuple[tuple[Attachment, ...], bytes]:
        """Stores the attached files; they, and the result that names them.

        Their ids are derived here, whatever the sandbox says: it has read a stranger's document.
        One that the store never takes is left out, also of the result.
        """
        kept: list[Attachment] = []
        refused: dict[str, str] = {}
        for index, file in enumerate(extracted.attachments):
            sha256 = await self.reader.sha256(file.content)
            label = attachment_label(index, sha256)
            document_id = str(derived_id(UUID(task.document_id), label))
            try:
                filename = attachment_filename(file.filename, index)
                kept.append(await self._keep_attachment(document_id, filename, file, sha256, steps))
            except (AlreadyExists, InvalidInput) as error:
                log.warning("attachment not kept", document_id=document_id, error=str(error))
                refused[document_id] = str(error)
        if not refused:
            return tuple(kept), extracted.result
        return tuple(kept), await asyncio.get_running_loop().run_in_executor(
            self.reader.threads, _without_documents, extracted.result, tuple(refused)
        )

    async def _keep_attachment(
        self, document_id: str, filename: str, file: AttachedFile, sha256: str, steps: Steps
    ) -> Attachment:
        key = original_key(document_id)
        content_type = await steps.run(
            "put",
            lambda: self.objects.put_original(key, file.content, filename=filename),
        )
        return Attachment(
            document_id=document_id,
            filename=filename,
            content_type=content_type,
            size_bytes=len(file.content),
            sha256=sha256,
            object_key=key,
        )


def _without_documents(encoded: bytes, document_ids: Sequence[str]) -> bytes:
    """The result, with those attachments only named. Blocks."""
    result = decode_result(encoded)
    for attachment in result.attachments:
        if attachment.document_id in document_ids:
            result.warnings.append(
                ResultWarning(
                    code="ATTACHMENT_REFUSED",
                    message=f"The attached file {attachment.filename[:255]!r} cannot be stored.",
                )
            )
    named = [
        structs.replace(each, document_id=None) if each.document_id in document_ids else each
        for each in result.attachments
    ]
    return encode_result(structs.replace(result, attachments=named))
