"""/v1/documents: upload, list, read."""

from typing import Annotated, Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from sheaf_common.ids import parse_id
from sheaf_gateway.api import idempotency, openapi, request_bodies
from sheaf_gateway.api.authentication import REQUIRES
from sheaf_gateway.api.body import check_not_encoded, content_length, read_body, until_gone
from sheaf_gateway.api.fields import Fields, columns_of, selected
from sheaf_gateway.api.links import batch_path
from sheaf_gateway.api.schemas import (
    DocumentBody,
    DocumentPageBody,
    UploadBody,
    document_body,
    page_body,
    upload_body,
)
from sheaf_gateway.domain.access import Scope
from sheaf_gateway.domain.checking import checked_time
from sheaf_gateway.domain.documents import DocumentStatus
from sheaf_gateway.domain.listing import ListFilter
from sheaf_gateway.form import boundary_of
from sheaf_gateway.service.intake import IntakeService
from sheaf_gateway.service.reading import ReadingService

MAX_WAIT_S: Final = 60
_LOOK_AFTER_S: Final = "1"
"""When an upload is worth looking at: a text document that does not wait takes less."""
DEFAULT_PAGE: Final = 50
MAX_PAGE: Final = 200
_TIME: Final = "RFC 3339, with its offset (a `+` in it is sent as `%2B`)."

Wait = Annotated[
    float,
    QueryParameter(
        ge=0,
        le=MAX_WAIT_S,
        description="Seconds to wait for a terminal state; answers earlier when it is reached.",
    ),
]
Limit = Annotated[int, QueryParameter(description="Documents a page.", ge=1, le=MAX_PAGE)]
Cursor = Annotated[
    str, QueryParameter(description="`next_cursor` of the page before.", max_length=512)
]


class DocumentController(Controller):
    """Documents of the user."""

    path = "/documents"
    tags = ("Documents",)

    @post(
        status_code=202,
        opt={REQUIRES: Scope.WRITE},
        request_max_body_size=None,
        operation_class=request_bodies.UploadOperation,
        responses=openapi.UPLOAD_RESPONSES,
        summary="Upload documents",
    )
    async def upload(
        self,
        request: Request[Any, Any, Any],
        intake: NamedDependency[IntakeService],
    ) -> Response[UploadBody]:
        """Takes one or many files; each has its own outcome. The other fields hold for all.

        Once the answer is sent the accepted documents cannot be lost. Follow them with the
        links and `?wait=`.
        """
        boundary = boundary_of(request.headers.get("content-type", ""))
        check_not_encoded(request.headers)
        taken = await intake.take(
            read_body(request.receive, intake.idle_timeout_s),
            boundary,
            content_length(request.headers),
            idempotency.idempotency_key(request.headers.getall(idempotency.HEADER, [])),
        )
        headers = {"location": batch_path(str(taken.batch_id)), "retry-after": _LOOK_AFTER_S}
        if taken.replayed:
            headers[idempotency.REPLAYED] = "true"
        return Response(upload_body(taken), headers=headers)

    @get(
        opt={REQUIRES: Scope.READ},
        responses=openapi.read_responses(400),
        summary="List documents",
    )
    async def list_documents(
        self,
        reading: NamedDependency[ReadingService],
        status: Annotated[
            DocumentStatus | None, QueryParameter(description="Only documents in this status.")
        ] = None,
        product: Annotated[
            str, QueryParameter(description="Only documents of this product.", max_length=64)
        ] = "",
        batch_id: Annotated[
            str | None, QueryParameter(description="Only documents of this batch.")
        ] = None,
        workflow_id: Annotated[
            str,
            QueryParameter(
                description="Only documents that this workflow holds or ended.", max_length=64
            ),
        ] = "",
        document_class: Annotated[
            str, QueryParameter(description="Only documents of this class.", max_length=64)
        ] = "",
        content_type: Annotated[
            str,
            QueryParameter(
                description="Only documents of this content type, or of a family such as"
                " `image/*`.",
                max_length=127,
            ),
        ] = "",
        uploaded_from: Annotated[
            str | None,
            QueryParameter(description=f"Only documents uploaded then or later. {_TIME}"),
        ] = None,
        uploaded_before: Annotated[
            str | None,
            QueryParameter(description=f"Only documents uploaded earlier. {_TIME}"),
        ] = None,
        parent_id: Annotated[
            str | None, QueryParameter(description="Only documents that were found in this one.")
        ] = None,
        limit: Limit = DEFAULT_PAGE,
        cursor: Cursor = "",
        fields: Fields = None,
    ) -> DocumentPageBody:
        """Documents of the user, newest first, a page at a time.

        Where the filters leave few of many documents, a page ends after looking at 5,000: it
        may be short, or empty. Only the last has no `next_cursor`.
        """
        wanted = ListFilter(
            status=status,
            product=product,
            batch_id=None if batch_id is None else parse_id(batch_id, "batch_id"),
            workflow_id=workflow_id,
            document_class=document_class,
            content_type=content_type.lower(),
            uploaded_from=checked_time(uploaded_from, "uploaded_from"),
            uploaded_before=checked_time(uploaded_before, "uploaded_before"),
            parent_id=None if parent_id is None else parse_id(parent_id, "parent_id"),
        )
        names = selected(fields)
        page = await reading.documents(wanted, columns_of(names), limit=limit, cursor=cursor)
        return page_body(page, names)

    @get(
        "/{document_id:str}",
        opt={REQUIRES: Scope.READ},
        responses=openapi.read_responses(400, 404),
        summary="Read a document",
    )
    async def read(
        self,
        request: Request[Any, Any, Any],
        document_id: FromPath[str],
        reading: NamedDependency[ReadingService],
        wait: Wait = 0,
        fields: Fields = None,
    ) -> DocumentBody:
        """A document; with `wait`, as soon as it has reached a terminal state."""
        identifier, names = parse_id(document_id, "document_id"), selected(fields)
        document = await reading.document(
            identifier, columns_of(names), wait, lambda: until_gone(request.receive)
        )
        return document_body(document, names)
