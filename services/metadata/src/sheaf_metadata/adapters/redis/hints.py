"""Hints between processes: one channel, one subscription, one publisher.

What a process announces wakes its own waiters at once; others hear of it through Redis,
several changes in one message when they come close together. A lost hint costs a waiter
the time until it looks again by itself.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog

from sheaf_common.ids import new_id
from sheaf_common.pools.redis_gate import REDIS_ERRORS, RedisGate
from sheaf_metadata.domain.documents import Lane
from sheaf_metadata.ports.changes import Changes
from sheaf_metadata.service.waiting import (
    BatchEnded,
    DocumentEnded,
    PlaceFreed,
    Topic,
    Waiters,
    WorkQueued,
)

log = structlog.get_logger()

_CHANNEL: Final = "sheaf:hints:1"
_MAX_PENDING: Final = 10_000
_LISTEN_S: Final = 5.0
_AGAIN_S: Final = 0.5


class _Hint(msgspec.Struct, array_like=True):
    sender: str
    documents: list[bytes]
    batches: list[bytes]
    queued: list[str]
    freed: list[str]


class RedisAnnouncer:
    """`Announcer` over Redis; `publish` and `listen` run for the process's life."""

    def __init__(self, gate: RedisGate, waiters: Waiters) -> None:
        self._gate = gate
        self._waiters = waiters
        self._name = str(new_id())
        self._pending: set[Topic] = set()
        self._due = asyncio.Event()
        self._decoder = msgspec.msgpack.Decoder(_Hint)

    def announce(self, changes: Changes) -> None:
        """See `Announcer`. Beyond a bound of what is pending hints are dropped."""
        topics = set(_topics(changes))
        self._waiters.wake(topics)
        if len(self._pending) < _MAX_PENDING:
            self._pending |= topics
        if self._pending:
            self._due.set()

    async def publish(self) -> None:
        """Sends what was announced. Runs until cancelled."""
        while True:
            await self._due.wait()
            self._due.clear()
            topics, self._pending = self._pending, set()
            message = msgspec.msgpack.encode(_hint(self._name, topics))
            await self._gate.call("publish", self._gate.client.publish(_CHANNEL, message))

    async def listen(self) -> None:
        """Wakes this process's waiters by other processes' hints. Runs until cancelled.

        Subscribes again after a failure; what was missed meanwhile waiters find by themselves.
        """
        while True:
            try:
                await self._listen()
            except REDIS_ERRORS as error:
                log.debug("subscription lost", error=str(error))
            await asyncio.sleep(_AGAIN_S)

    async def _listen(self) -> None:
        async with self._gate.client.pubsub(ignore_subscribe_messages=True) as subscription:
            await subscription.subscribe(_CHANNEL)
            while True:
                message: Any = await subscription.get_message(timeout=_LISTEN_S)
                if message is not None and message["type"] == "message":
                    self._heard(message["data"])

    def _heard(self, message: bytes) -> None:
        try:
            hint = self._decoder.decode(message)
        except msgspec.MsgspecError:
            return
        if hint.sender != self._name:
            self._waiters.wake(_topics_of(hint))


def _topics(changes: Changes) -> Iterable[Topic]:
    for document in changes.documents:
        if document.status is not None and document.status.terminal:
            yield DocumentEnded(document.document_id)
    yield from map(DocumentEnded, changes.deleted)
    yield from map(BatchEnded, changes.finished_batches)
    yield from map(WorkQueued, changes.queued_lanes)
    yield from map(PlaceFreed, changes.freed_lanes)


def _hint(sender: str, topics: Iterable[Topic]) -> _Hint:
    hint = _Hint(sender, [], [], [], [])
    for topic in topics:
        match topic:
            case DocumentEnded(document_id):
                hint.documents.append(document_id.bytes)
            case BatchEnded(batch_id):
                hint.batches.append(batch_id.bytes)
            case WorkQueued(lane):
                hint.queued.append(lane.value)
            case PlaceFreed(lane):
                hint.freed.append(lane.value)
    return hint


def _topics_of(hint: _Hint) -> Iterable[Topic]:
    yield from (DocumentEnded(UUID(bytes=item)) for item in hint.documents)
    yield from (BatchEnded(UUID(bytes=item)) for item in hint.batches)
    yield from (WorkQueued(Lane(item)) for item in hint.queued)
    yield from (PlaceFreed(Lane(item)) for item in hint.freed)
