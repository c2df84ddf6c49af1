"""Following events over gRPC: translate, delegate, nothing else."""

from typing import Any

import grpc

from sheaf.metadata.v1 import document_pb2, metadata_pb2
from sheaf_common.ids import parse_id
from sheaf_metadata.api.decoding import STATUSES, seconds
from sheaf_metadata.api.encoding import timestamp
from sheaf_metadata.domain.claims import MAX_WAIT_S
from sheaf_metadata.domain.events import Event, Followed
from sheaf_metadata.service.following import FollowEvents

_Context = grpc.aio.ServicerContext[Any, Any]


class EventMethods:
    """The methods of the contract that are about events; a part of the servicer."""

    following: FollowEvents

    async def PollEvents(
        self, request: metadata_pb2.PollEventsRequest, _context: _Context
    ) -> metadata_pb2.PollEventsResponse:
        """See the .proto."""
        after = request.after_position if request.HasField("after_position") else None
        wait_s = min(seconds(request.wait), MAX_WAIT_S)
        polled = await self.following.poll(after, request.max_events, wait_s)
        return metadata_pb2.PollEventsResponse(
            events=map(_message, polled.events), position=polled.position
        )

    async def ListEvents(
        self, request: metadata_pb2.ListEventsRequest, _context: _Context
    ) -> metadata_pb2.ListEventsResponse:
        """See the .proto."""
        events, more = await self.following.page(
            _followed(request), request.after_position, request.until_position, request.page_size
        )
        return metadata_pb2.ListEventsResponse(events=map(_message, events), more=more)


def _followed(request: metadata_pb2.ListEventsRequest) -> Followed:
    match request.WhichOneof("of"):
        case "document_id":
            return Followed(document_id=parse_id(request.document_id, "document_id"))
        case "batch_id":
            return Followed(batch_id=parse_id(request.batch_id, "batch_id"))
        case _:
            return Followed()


def _message(event: Event) -> metadata_pb2.Event:
    unspecified = document_pb2.DOCUMENT_STATUS_UNSPECIFIED
    return metadata_pb2.Event(
        position=event.position,
        type=event.type,
        document_id="" if event.document_id is None else str(event.document_id),
        batch_id=str(event.batch_id),
        user_id=event.user_id,
        status=unspecified if event.status is None else STATUSES[event.status],
        attempt=event.attempt or 0,
        reason=event.reason or "",
        created_at=timestamp(event.created_at),
    )
