"""Cancel, reprocess, and the quarantine."""

from typing import Annotated, Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from sheaf_common.ids import parse_id
from sheaf_gateway.api import openapi, request_bodies
from sheaf_gateway.api.authentication import REQUIRES
from sheaf_gateway.api.body import read_json
from sheaf_gateway.api.documents import DEFAULT_PAGE, Cursor, Limit
from sheaf_gateway.api.fields import Fields, columns_of, selected
from sheaf_gateway.api.requests import ReplayBody, ReprocessBody
from sheaf_gateway.api.schemas import (
    DocumentBody,
    DocumentPageBody,
    ReplayedBody,
    document_body,
    page_body,
    replayed_body,
)
from sheaf_gateway.domain.access import Scope
from sheaf_gateway.domain.documents import DocumentStatus
from sheaf_gateway.domain.listing import ListFilter
from sheaf_gateway.service.control import ControlService
from sheaf_gateway.service.reading import ReadingService


class ControlController(Controller):
    """What becomes of one document."""

    path = "/documents/{document_id:str}"
    tags = ("Documents",)
    opt = {REQUIRES: Scope.WRITE}  # noqa: RUF012 - Litestar reads it from the class

    @post(
        "/cancel",
        status_code=200,
        responses=openapi.read_responses(400, 404),
        summary="Cancel a document",
    )
    async def cancel(
        self, document_id: FromPath[str], control: NamedDependency[ControlService]
    ) -> DocumentBody:
        """Ends a document that is waiting or being worked on, which stops within seconds.

        One that has ended is answered as it is: a cancel may be repeated.
        """
        document = await control.cancel(parse_id(document_id, "document_id"))
        return document_body(document, None)

    @post(
        "/reprocess",
        status_code=202,
        operation_class=request_bodies.ReprocessOperation,
        responses=openapi.read_responses(400, 404, 409, 422),
        summary="Reprocess a document",
    )
    async def reprocess(
        self,
        request: Request[Any, Any, Any],
        document_id: FromPath[str],
        control: NamedDependency[ControlService],
    ) -> DocumentBody:
        """Queues a document that has ended again, as its next attempt."""
        identifier = parse_id(document_id, "document_id")
        body = await read_json(request.receive, ReprocessBody)
        return document_body(await control.reprocess(identifier, body.wanted()), None)


class QuarantineController(Controller):
    """Documents that harmed what worked on them."""

    path = "/quarantine"
    tags = ("Quarantine",)

    @get(
        opt={REQUIRES: Scope.READ},
        responses=openapi.read_responses(400),
        summary="List quarantined documents",
    )
    async def list_quarantined(
        self,
        reading: NamedDependency[ReadingService],
        product: Annotated[
            str, QueryParameter(description="Only documents of this product.", max_length=64)
        ] = "",
        limit: Limit = DEFAULT_PAGE,
        cursor: Cursor = "",
        fields: Fields = None,
    ) -> DocumentPageBody:
        """Quarantined documents of the user, newest first, a page at a time."""
        wanted = ListFilter(status=DocumentStatus.QUARANTINED, product=product)
        names = selected(fields)
        page = await reading.documents(wanted, columns_of(names), limit=limit, cursor=cursor)
        return page_body(page, names)

    @post(
        "/replay",
        status_code=202,
        opt={REQUIRES: Scope.WRITE},
        operation_class=request_bodies.ReplayOperation,
        responses=openapi.read_responses(400, 422),
        summary="Replay quarantined documents",
    )
    async def replay(
        self, request: Request[Any, Any, Any], control: NamedDependency[ControlService]
    ) -> ReplayedBody:
        """Queues quarantined documents of the user again, oldest first, each as its next attempt.

        While `more` is true, call again.
        """
        body = await read_json(request.receive, ReplayBody)
        return replayed_body(await control.replay(body.wanted()))
