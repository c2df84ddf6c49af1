"""Events of the metadata service, over gRPC."""

from collections.abc import Iterable
from datetime import UTC
from typing import Final

from sheaf.metadata.v1 import metadata_pb2, metadata_pb2_grpc
from sheaf_common.grpc.channel import Peer
from sheaf_gateway.adapters import messages
from sheaf_gateway.adapters.peers import peer_errors
from sheaf_gateway.events import SHOWN, Event, EventPage, Followed

_NAME: Final = "metadata"


class GrpcEventLog:
    """The EventLog port over a peer."""

    def __init__(self, peer: Peer, timeout_s: float) -> None:
        self._peer = peer
        self._timeout_s = timeout_s
        self._stub: metadata_pb2_grpc.MetadataServiceAsyncStub = (
            metadata_pb2_grpc.MetadataServiceStub(peer.channel)
        )

    async def poll(self, after: int | None, *, wait_s: float) -> EventPage:
        """See the port."""
        request = metadata_pb2.PollEventsRequest(
            after_position=after, wait=messages.duration(wait_s)
        )
        with peer_errors(_NAME):
            answer = await self._peer.unary(
                self._stub.PollEvents, request, timeout_s=self._timeout_s + wait_s
            )
        return EventPage(_shown(answer.events), answer.position)

    async def listed(self, followed: Followed, after: int, until: int, limit: int) -> EventPage:
        """See the port."""
        request = metadata_pb2.ListEventsRequest(
            after_position=after, until_position=until, page_size=limit
        )
        if followed.kind == "document":
            request.document_id = followed.identifier
        elif followed.kind == "batch":
            request.batch_id = followed.identifier
        with peer_errors(_NAME):
            answer = await self._peer.unary(
                self._stub.ListEvents, request, timeout_s=self._timeout_s
            )
        last = answer.events[-1].position if answer.events else after
        position = last if answer.more else max(last, until)
        return EventPage(_shown(answer.events), position, answer.more)


def _shown(found: Iterable[metadata_pb2.Event]) -> tuple[Event, ...]:
    """Those that clients see; of types that this version does not know, none."""
    return tuple(_event(message) for message in found if message.type.startswith(SHOWN))


def _event(message: metadata_pb2.Event) -> Event:
    return Event(
        position=message.position,
        type=message.type,
        document_id=message.document_id or None,
        batch_id=message.batch_id,
        user_id=message.user_id,
        status=messages.status(message.status),
        attempt=message.attempt or None,
        reason=message.reason or None,
        created_at=message.created_at.ToDatetime(tzinfo=UTC),
    )
