"""Reading one document: its content as it was uploaded, and what the sandbox finds in it."""

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import structlog

from sheaf_common.errors import NotFound
from sheaf_common.failpoints import failpoint
from sheaf_orchestrator.domain import DocumentTask, Failed, Quarantined
from sheaf_orchestrator.ports import Extraction, Extractor, Objects
from sheaf_orchestrator.service.passwords import PasswordSafe
from sheaf_orchestrator.service.steps import Steps

log = structlog.get_logger()

_HASH_IN_LOOP_BYTES: Final = 512 * 1024
"""Hashing so much takes less than handing it to a thread and back is worth."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A document's content, checked, and what opens it."""

    content: bytes
    password: bytes | None


@dataclass(frozen=True, slots=True)
class DocumentReader:
    """Opens and reads documents.

    `threads` check the content of large documents, beside the event loop: lease renewals and
    heartbeats do not wait for it.
    """

    objects: Objects
    extractor: Extractor
    passwords: PasswordSafe
    threads: Executor

    async def open(self, workflow_id: str, task: DocumentTask, steps: Steps) -> Opened | Failed:
        """The content, if it is the one that was uploaded. Raises `SheafError`."""
        password = await self.passwords.password_of(workflow_id, task, steps)
        if isinstance(password, Failed):
            return password
        try:
            content = await steps.run(
                "fetch", lambda: self.objects.fetch(task.object_key, size_bytes=task.size_bytes)
            )
        except NotFound:
            return Failed("OBJECT_NOT_FOUND", "The stored file is no longer there.")
        if await self.sha256(content) != task.sha256:
            log.error("stored bytes do not match their hash", key=task.object_key)
            return Failed("DATA_LOSS", "The stored bytes do not match the hash of the upload.")
        return Opened(content, password)

    async def read(
        self, workflow_id: str, task: DocumentTask, steps: Steps
    ) -> Extraction | Failed | Quarantined:
        """What is in the document. Raises `SheafError`."""
        opened = await self.open(workflow_id, task, steps)
        return opened if isinstance(opened, Failed) else await self.extract(task, opened, steps)

    async def extract(
        self, task: DocumentTask, opened: Opened, steps: Steps
    ) -> Extraction | Failed | Quarantined:
        """What is in an opened document. Raises `SheafError`."""
        await failpoint("cpu.extracting")
        return await steps.run(
            "extract", lambda: self.extractor.extract(task, opened.content, opened.password)
        )

    async def sha256(self, content: bytes) -> str:
        """The hash in hex."""
        if len(content) <= _HASH_IN_LOOP_BYTES:
            return sha256(content).hexdigest()
        loop = asyncio.get_running_loop()
        return (await loop.run_in_executor(self.threads, sha256, content)).hexdigest()
