"""/v1/…/events: following documents, batches and all of a user's by server-sent events."""

from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Request, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import FromPath, HeaderParameter, QueryParameter

from sheaf_common.ids import parse_id
from sheaf_gateway.api import openapi
from sheaf_gateway.api.authentication import REQUIRES, STILL_ALLOWED
from sheaf_gateway.api.event_stream import EventStreamAnswer, StreamTimes
from sheaf_gateway.api.streaming import RawAnswer
from sheaf_gateway.domain.access import Scope
from sheaf_gateway.events import MAX_POSITION, Followed
from sheaf_gateway.service.following import FollowService


class EventFrame(msgspec.Struct):
    """One server-sent event, as its fields."""

    id: str
    """Its position: send it as `Last-Event-ID` to go on after it."""
    event: str
    """Its type: `document.STATUS`, `document.deleted` or `batch.finished`."""
    data: str
    """JSON, see the answer's description."""


_EXAMPLE: Final = {
    "id": "4711",
    "event": "document.completed",
    "data": '{"position":4711,"type":"document.completed",'
    '"document_id":"019a2f6e-7c1b-7d5a-9a43-0c6f3f1b2e12",'
    '"batch_id":"019a2f6e-7c1b-7d5a-9a43-0c6f3f1b2e11","status":"completed","attempt":1,'
    '"reason":null,"created_at":"2026-11-30T09:00:00.123456Z"}',
}
_STREAM: Final = ResponseSpec(
    EventFrame,
    generate_examples=False,
    description="Server-sent events, each as described here. `id` is the event's position, `event`"
    " its type, `data` JSON with `position`, `type`, `document_id`, `batch_id`, `status`,"
    " `attempt`, `reason` and `created_at`; null where it does not apply. A comment line comes when"
    " nothing else has for a while.",
    media_type="text/event-stream",
    examples=[Example(value=_EXAMPLE)],
)
_NOTHING_MORE: Final = ResponseSpec(
    None,
    description="What is followed has ended, and the client has seen all of it.",
)
_RESPONSES: Final = {**openapi.problems(400, 404, 429), 200: _STREAM, 204: _NOTHING_MORE}
_OF_USER: Final = {**openapi.problems(400, 429), 200: _STREAM}

LastEventId = Annotated[
    int | None,
    HeaderParameter(
        name="Last-Event-ID",
        description="The `id` of the last event that was received: the stream goes on after it.",
        ge=0,
        le=MAX_POSITION,
    ),
]
After = Annotated[
    int | None,
    QueryParameter(
        description="The same, for clients that cannot set the header, which comes first.",
        ge=0,
        le=MAX_POSITION,
    ),
]


class EventController(Controller):
    """Streams of events of the user's things."""

    path = "/"
    tags = ("Events",)
    opt = {REQUIRES: Scope.READ}  # noqa: RUF012 - Litestar reads it from the class

    @get("/documents/{document_id:str}/events", responses=_RESPONSES, summary="Follow a document")
    async def of_document(
        self,
        request: Request[Any, Any, Any],
        document_id: FromPath[str],
        following: NamedDependency[FollowService],
        stream_times: NamedDependency[StreamTimes],
        last_event_id: LastEventId = None,
        after: After = None,
    ) -> RawAnswer:
        """Every change of the document from its beginning, or after `Last-Event-ID`.

        None is missed, none comes twice. It ends with the document's last event; asked again with
        the id of that, the answer is 204.
        """
        followed = Followed("document", str(parse_id(document_id, "document_id")))
        return _answer(request, following, stream_times, followed, (last_event_id, after))

    @get("/batches/{batch_id:str}/events", responses=_RESPONSES, summary="Follow a batch")
    async def of_batch(
        self,
        request: Request[Any, Any, Any],
        batch_id: FromPath[str],
        following: NamedDependency[FollowService],
        stream_times: NamedDependency[StreamTimes],
        last_event_id: LastEventId = None,
        after: After = None,
    ) -> RawAnswer:
        """Every change of the batch's documents, and its end, as for a document."""
        followed = Followed("batch", str(parse_id(batch_id, "batch_id")))
        return _answer(request, following, stream_times, followed, (last_event_id, after))

    @get("/events", responses=_OF_USER, summary="Follow all documents")
    async def of_user(
        self,
        request: Request[Any, Any, Any],
        following: NamedDependency[FollowService],
        stream_times: NamedDependency[StreamTimes],
        last_event_id: LastEventId = None,
        after: After = None,
    ) -> RawAnswer:
        """Every change of all of the user's documents, from now on or after `Last-Event-ID`.

        It has no end of its own; where it breaks off, go on with the last id.
        """
        followed = Followed("user", request.scope["user"])
        return _answer(request, following, stream_times, followed, (last_event_id, after))


def _answer(
    request: Request[Any, Any, Any],
    following: FollowService,
    times: StreamTimes,
    followed: Followed,
    positions: tuple[int | None, int | None],
) -> RawAnswer:
    last_event_id, after = positions
    position = after if last_event_id is None else last_event_id
    stream = following.following(request.scope["user"], followed, position)
    return EventStreamAnswer(stream, request.scope["state"][STILL_ALLOWED], times)
