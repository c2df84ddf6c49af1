"""Pictures of pages: drawn when they are first asked for, and kept beside the document."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import structlog

from sheaf_common.errors import (
    AlreadyExists,
    DataLoss,
    DeadlineExceeded,
    InvalidInput,
    OverCapacity,
)
from sheaf_common.memory import ByteBudget
from sheaf_orchestrator.domain import thumbnail_key
from sheaf_orchestrator.ports import Objects, PageDrawer
from sheaf_orchestrator.service.single_flight import SingleFlight

log = structlog.get_logger()

WIDTHS_PX: Final = frozenset({128, 256, 512, 1024})
_WEBP: Final = "image/webp"
_RETRY_AFTER_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class ThumbnailRequest:
    """A page of a stored document; `sha256` in hex."""

    document_id: str
    object_key: str
    content_type: str
    size_bytes: int
    sha256: str
    page: int
    width_px: int


@dataclass(slots=True)
class Thumbnailer:
    """Draws pages: `at_once` at a time, so that documents keep most of the sandbox.

    `waiting` more may wait; each ends within `deadline_s`.
    """

    objects: Objects
    drawer: PageDrawer
    memory: ByteBudget
    threads: Executor
    at_once: int
    waiting: int = 16
    deadline_s: float = 30.0
    _asked: int = 0
    _places: asyncio.Semaphore = field(init=False)
    _flights: SingleFlight[tuple[bytes, str]] = field(init=False)

    def __post_init__(self) -> None:
        """One place for each page that may be drawn at once."""
        self._places = asyncio.Semaphore(self.at_once)
        self._flights = SingleFlight(self.deadline_s)

    async def draw(self, request: ThumbnailRequest) -> tuple[bytes, str]:
        """The picture in WebP, and the key under which it is kept now.

        The same picture is drawn once for all who ask for it meanwhile.

        Raises:
            InvalidInput: `WIDTH_INVALID`, `PAGE_NOT_FOUND` and the other reasons of extraction.
            OverCapacity: `SANDBOX_BUSY`.
            SheafError: storage or the sandbox does not answer.
        """
        _check(request)
        return await self._flights.run(request, lambda: self._in_turn(request))

    async def _in_turn(self, request: ThumbnailRequest) -> tuple[bytes, str]:
        with self._place():
            try:
                async with asyncio.timeout(self.deadline_s), self._places:
                    return await self._draw(request)
            except TimeoutError:
                raise DeadlineExceeded(
                    "THUMBNAIL_TIMEOUT", f"the page was not drawn in {self.deadline_s:g} s"
                ) from None

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._asked >= self.at_once + self.waiting:
            raise OverCapacity(
                "SANDBOX_BUSY",
                f"{self._asked} pages are asked for already",
                retry_after_s=_RETRY_AFTER_S,
            )
        self._asked += 1
        try:
            yield
        finally:
            self._asked -= 1

    async def _draw(self, request: ThumbnailRequest) -> tuple[bytes, str]:
        with (await self.memory.reserve(request.size_bytes)).released():
            content = await self.objects.fetch(request.object_key, size_bytes=request.size_bytes)
            loop = asyncio.get_running_loop()
            digest = await loop.run_in_executor(self.threads, sha256, content)
            if digest.hexdigest() != request.sha256:
                raise DataLoss("DATA_LOSS", f"{request.object_key} does not match its hash")
            picture = await self.drawer.thumbnail(
                request.document_id,
                request.content_type,
                content,
                page=request.page,
                width_px=request.width_px,
            )
        key = thumbnail_key(request.document_id, request.page, request.width_px)
        try:
            await self.objects.put(key, picture, content_type=_WEBP)
        except AlreadyExists:
            log.info("the picture was kept meanwhile", key=key)
        return picture, key


def _check(request: ThumbnailRequest) -> None:
    if request.width_px not in WIDTHS_PX:
        allowed = ", ".join(map(str, sorted(WIDTHS_PX)))
        raise InvalidInput(
            "WIDTH_INVALID",
            f"a width of {request.width_px} pixels; possible are {allowed}",
            evidence={"field": "width_px"},
        )
    if request.page < 1:
        raise InvalidInput(
            "PAGE_NOT_FOUND", f"there is no page {request.page}", evidence={"field": "page"}
        )
