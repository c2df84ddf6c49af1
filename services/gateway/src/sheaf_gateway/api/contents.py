"""/v1/documents/{id}/…: what a document holds and what was found in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final

from litestar import Controller, Request, Response, get, route
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from sheaf_common.errors import NotFound
from sheaf_common.ids import parse_id
from sheaf_gateway.api import openapi
from sheaf_gateway.api.authentication import REQUIRES
from sheaf_gateway.api.headers import (
    accepts_zstd,
    attachment,
    etag_matches,
    requested_range,
    result_etag,
)
from sheaf_gateway.api.streaming import (
    EmptyAnswer,
    Head,
    OpenAnswer,
    RawAnswer,
    StreamedAnswer,
)
from sheaf_gateway.domain.access import Scope
from sheaf_gateway.domain.documents import Document
from sheaf_gateway.service.reading import ReadingService
from sheaf_gateway.service.results import ResultReader
from sheaf_gateway.service.thumbnails import DEFAULT_WIDTH_PX, WIDTHS_PX, ThumbnailService

_MAX_PAGE: Final = 1_000_000
_WIDTHS: Final = ", ".join(map(str, WIDTHS_PX))
_SAFE = {"x-content-type-options": "nosniff", "cache-control": "private, no-cache"}


class ContentController(Controller):
    """Content, text, result and pictures of a document."""

    path = "/documents/{document_id:str}"
    tags = ("Content",)
    opt = {REQUIRES: Scope.READ}  # noqa: RUF012 - Litestar reads it from the class

    @get(
        "/text",
        media_type="text/plain",
        responses=openapi.TEXT_RESPONSES,
        summary="Text of a document",
    )
    async def text(
        self,
        request: Request[Any, Any, Any],
        document_id: FromPath[str],
        reading: NamedDependency[ReadingService],
    ) -> Response[bytes | None]:
        """The text of all pages, joined by form feeds; takes `If-None-Match`."""
        document = await reading.completed(parse_id(document_id, "document_id"))
        headers = {**_SAFE, "etag": result_etag(document.result_key, "text", weak=True)}
        if etag_matches(request.headers.get("if-none-match"), headers["etag"]):
            return Response(None, status_code=304, headers=headers)
        text = await reading.text(document)
        return Response(text, media_type="text/plain", headers=headers)

    @get(
        "/markdown",
        media_type="text/markdown",
        responses=openapi.MARKDOWN_RESPONSES,
        summary="Markdown of a document",
    )
    async def markdown(
        self,
        request: Request[Any, Any, Any],
        document_id: FromPath[str],
        reading: NamedDependency[ReadingService],
    ) -> Response[bytes | None]:
        """The whole document as Markdown, with its headings and tables; takes `If-None-Match`."""
        document = await reading.completed(parse_id(document_id, "document_id"))
        headers = {**_SAFE, "etag": result_etag(document.result_key, "markdown", weak=True)}
        if etag_matches(request.headers.get("if-none-match"), headers["etag"]):
            return Response(None, status_code=304, headers=headers)
        markdown = await reading.markdown(document)
        return Response(markdown, media_type="text/markdown", headers=headers)

    @get("/thumbnail", responses=openapi.THUMBNAIL_RESPONSES, summary="Picture of a page")
    async def thumbnail(
        self,
        request: Request[Any, Any, Any],
        document_id: FromPath[str],
        thumbnails: NamedDependency[ThumbnailService],
        page: Annotated[
            int, QueryParameter(description="The page, from 1.", ge=1, le=_MAX_PAGE)
        ] = 1,
        width: Annotated[
            int,
            QueryParameter(
                description=f"In pixels: one of {_WIDTHS}.",
                schema_extra={"enum": list(WIDTHS_PX)},
            ),
        ] = DEFAULT_WIDTH_PX,
    ) -> Response[bytes | None]:
        """A page as WebP: drawn at the first request, kept from then on.

        Of PDFs and images. It never changes; of a document with a password there is none.
        """
        document = await thumbnails.document(parse_id(document_id, "document_id"), page, width)
        etag = f'"{document.sha256.hex()}-{page}-{width}"'
        headers = {**_SAFE, "etag": etag, "cache-control": "private, max-age=31536000, immutable"}
        if etag_matches(request.headers.get("if-none-match"), etag):
            return Response(None, status_code=304, headers=headers)
        picture = await thumbnails.picture(document, page, width)
        return Response(picture, media_type="image/webp", headers=headers)

    @get("/result", responses=openapi.RESULT_RESPONSES, summary="Result of a document")
    async def result(
        self,
        request: Request[Any, Any, Any],
        document_id: FromPath[str],
        reading: NamedDependency[ReadingService],
        results: NamedDependency[ResultReader],
    ) -> RawAnswer:
        """All that was found in the document, as JSON of the schema `sheaf.result/1`.

        With `Accept-Encoding: zstd` it is sent as it is stored. Takes `If-None-Match`.
        """
        document = await reading.completed(parse_id(document_id, "document_id"))
        as_stored = accepts_zstd(request.headers.get("accept-encoding"))
        headers = {
            "content-type": "application/json",
            "etag": result_etag(document.result_key, "zstd" if as_stored else "json"),
            "vary": "accept-encoding",
            **_SAFE,
        }
        if etag_matches(request.headers.get("if-none-match"), headers["etag"]):
            del headers["content-type"]
            return EmptyAnswer(Head(304, headers))

        @asynccontextmanager
        async def opened() -> AsyncIterator[OpenAnswer]:
            try:
                async with reading.result(document) as content:
                    if as_stored:
                        headers["content-encoding"] = "zstd"
                        headers["content-length"] = str(content.stored.size_bytes)
                        yield OpenAnswer(Head(200, headers), content.chunks)
                    else:
                        size, pieces = await results.unpacked(content)
                        headers["content-length"] = str(size)
                        first = await anext(pieces, b"")
                        yield OpenAnswer(Head(200, headers), _with_first(first, pieces))
            except NotFound as error:
                raise await reading.missing(document) from error

        return StreamedAnswer(opened())

    @route(
        "/content",
        http_method=["GET", "HEAD"],
        responses=openapi.CONTENT_RESPONSES,
        summary="Original of a document",
    )
    async def content(
        self,
        request: Request[Any, Any, Any],
        document_id: FromPath[str],
        reading: NamedDependency[ReadingService],
    ) -> RawAnswer:
        """The file as it was uploaded; takes `Range` and `If-None-Match`."""
        document = await reading.stored(parse_id(document_id, "document_id"))
        etag = f'"{document.sha256.hex()}"'
        headers = {
            "etag": etag,
            "accept-ranges": "bytes",
            "content-type": document.content_type,
            "content-disposition": attachment(document.filename),
            "content-security-policy": "default-src 'none'; sandbox",
            **_SAFE,
        }
        if etag_matches(request.headers.get("if-none-match"), etag):
            return EmptyAnswer(Head(304, headers))
        if_range = request.headers.get("if-range")
        asked = request.headers.get("range") if if_range in {None, etag} else None
        part = requested_range(asked, document.size_bytes) if request.method == "GET" else None
        first, length = part or (0, document.size_bytes)
        headers["content-length"] = str(length)
        if part is not None:
            headers["content-range"] = f"bytes {first}-{first + length - 1}/{document.size_bytes}"
        head = Head(200 if part is None else 206, headers)
        if request.method == "HEAD":
            return EmptyAnswer(head)
        return StreamedAnswer(_opened(reading, document, head, first, length))


@asynccontextmanager
async def _opened(
    reading: ReadingService, document: Document, head: Head, first: int, length: int
) -> AsyncIterator[OpenAnswer]:
    try:
        async with reading.content(document, offset=first, length_bytes=length) as content:
            yield OpenAnswer(head, content.chunks)
    except NotFound as error:
        raise await reading.missing(document) from error


async def _with_first(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
