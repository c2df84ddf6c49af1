"""What the gateway says to its peers and makes of their answers, over real gRPC."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

import grpc
import pytest

from sheaf.metadata.v1 import document_pb2, metadata_pb2, metadata_pb2_grpc
from sheaf.orchestrator.v1 import orchestrator_pb2, orchestrator_pb2_grpc
from sheaf_common.errors import InvalidInput, Unavailable
from sheaf_common.grpc.channel import Peer, grpc_peer
from sheaf_common.grpc.server import grpc_server
from sheaf_common.grpc.settings import GrpcSettings
from sheaf_gateway.adapters.metadata import GrpcRecords
from sheaf_gateway.adapters.orchestrator import GrpcPageRenderer
from sheaf_gateway.domain.documents import Document
from sheaf_gateway.domain.registration import CopiedResult, NewBatch, Registered, Reusable
from sheaf_gateway.domain.replaying import Replay, Replayed
from sheaf_gateway.domain.uploads import AcceptedFile, StoredObject
from sheaf_gateway.options import OcrMode, Options, Priority
from sheaf_gateway.pages import PageRange

AnswerT = TypeVar("AnswerT")

SETTINGS = GrpcSettings.model_construct(token=None, max_call_s=30.0)
ID = UUID("019a2f6e-7c1b-7d5a-9a43-0c6f3f1b2e11")
OPTIONS = Options(
    words=True,
    ocr=OcrMode.NEVER,
    ocr_languages=("deu", "eng"),
    pages=(PageRange(1, 3), PageRange(7, 0)),
)
SENT = document_pb2.DocumentOptions(
    words=True,
    ocr=document_pb2.OCR_MODE_NEVER,
    ocr_languages=["deu", "eng"],
    pages=[document_pb2.PageRange(first=1, last=3), document_pb2.PageRange(first=7)],
)


class Scripted:
    """A servicer that notes what it is asked and answers what it is told, whatever the method."""

    def __init__(self, answer: Any, add: Callable[[Any, grpc.aio.Server], None], name: str) -> None:
        self._answer = answer
        self._add = add
        self._name = name
        self.asked: Any = None

    def __getattr__(self, name: str) -> Any:
        """Every method of the contract."""
        if not name[0].isupper():
            raise AttributeError(name)
        return self._answered

    async def _answered(self, request: Any, _call: Any) -> Any:
        self.asked = request
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def register(self, server: grpc.aio.Server) -> str:
        """Adds itself."""
        self._add(self, server)
        return self._name


@asynccontextmanager
async def metadata(answer: Any) -> AsyncIterator[tuple[GrpcRecords, Scripted]]:
    """The port over a metadata service that answers that."""
    servicer = Scripted(
        answer, metadata_pb2_grpc.add_MetadataServiceServicer_to_server, "sheaf.metadata.v1"
    )
    async with _serving(servicer) as peer:
        yield GrpcRecords(peer, 5.0), servicer


@asynccontextmanager
async def orchestrator(answer: Any) -> AsyncIterator[tuple[GrpcPageRenderer, Scripted]]:
    """The port over an orchestrator that answers that."""
    servicer = Scripted(
        answer,
        orchestrator_pb2_grpc.add_OrchestratorServiceServicer_to_server,
        "sheaf.orchestrator.v1",
    )
    async with _serving(servicer) as peer:
        yield GrpcPageRenderer(peer, 5.0), servicer


@asynccontextmanager
async def _serving(servicer: Scripted) -> AsyncIterator[Peer]:
    async with (
        grpc_server("127.0.0.1", 0, SETTINGS, servicer.register) as server,
        grpc_peer("peer", f"127.0.0.1:{server.port}", SETTINGS) as peer,
    ):
        yield peer


DOCUMENT = Document(
    document_id=str(ID),
    parent_id="parent",
    depth=2,
    priority=Priority.LOW,
    options=OPTIONS,
    metadata_json='{"a":1}',
    pages_done=3,
    pages_total=9,
)
MESSAGE = document_pb2.Document(
    document_id=str(ID),
    parent_id="parent",
    depth=2,
    priority=document_pb2.PRIORITY_LOW,
    options=SENT,
    metadata_json='{"a":1}',
    pages_done=3,
    pages_total=9,
)


async def test_a_registration_says_all_that_is_asked() -> None:
    """Options, priority, metadata, and the sealed password of the file that has one."""
    stored = StoredObject("key", 5, b"h" * 32, "application/pdf")
    other = UUID(int=ID.int + 1)
    batch = NewBatch(
        ID,
        "tax",
        (AcceptedFile(ID, "a.pdf", stored), AcceptedFile(other, "b.pdf", stored)),
        Priority.HIGH,
        OPTIONS,
        {ID: b"sealed"},
        '{"a":1}',
    )
    answer = metadata_pb2.RegisterBatchResponse(documents=[MESSAGE])
    async with metadata(answer) as (records, servicer):
        (document,) = (await records.register(batch, timeout_s=5)).documents

    assert (servicer.asked.priority, servicer.asked.product) == (document_pb2.PRIORITY_HIGH, "tax")
    assert servicer.asked.metadata_json == '{"a":1}'
    assert [(each.options, each.sealed_password) for each in servicer.asked.documents] == [
        (SENT, b"sealed"),
        (SENT, b""),
    ]
    assert document == DOCUMENT


async def test_reusable_results_are_asked_for_and_named() -> None:
    """Found before anything is registered; then a copy is registered by its keys."""
    stored = StoredObject("key", 5, b"h" * 32, "application/pdf")
    source = UUID(int=ID.int + 1)
    batch = NewBatch(ID, "", (AcceptedFile(ID, "a.pdf", stored),), find_reusable=True)
    found = metadata_pb2.ReusableResult(
        document_id=str(ID), source_document_id=str(source), source_result_key="theirs"
    )
    answer = metadata_pb2.RegisterBatchResponse(reusable=[found])
    async with metadata(answer) as (records, servicer):
        registered = await records.register(batch, timeout_s=5)
        assert servicer.asked.find_reusable
        assert not servicer.asked.documents[0].HasField("reused")
        copies = {ID: CopiedResult(source, "theirs", "ours")}
        await records.register(replace(batch, find_reusable=False, copies=copies), timeout_s=5)

    assert registered == Registered((), (Reusable(ID, source, "theirs"),))
    assert not servicer.asked.find_reusable
    assert servicer.asked.documents[0].reused == metadata_pb2.ReusedResult(
        source_document_id=str(source), source_result_key="theirs", result_key="ours"
    )


async def test_a_document_that_says_nothing_has_the_defaults() -> None:
    """As one that an older metadata service registered."""
    answer = metadata_pb2.CancelDocumentResponse(
        document=document_pb2.Document(document_id=str(ID))
    )
    async with metadata(answer) as (records, servicer):
        document = await records.cancel(ID)

    assert servicer.asked.document_id == str(ID)
    assert document == Document(document_id=str(ID), priority=Priority.NORMAL)


@pytest.mark.parametrize(("options", "sent"), [(OPTIONS, SENT), (None, None)])
async def test_reprocessing_leaves_options_or_says_all(
    options: Options | None, sent: document_pb2.DocumentOptions | None
) -> None:
    """Absent ones are those that it has."""
    answer = metadata_pb2.ReprocessDocumentResponse(document=MESSAGE)
    async with metadata(answer) as (records, servicer):
        document = await records.reprocess(ID, options, b"sealed", after_attempt=2)

    expected = metadata_pb2.ReprocessDocumentRequest(
        document_id=str(ID), options=sent, sealed_password=b"sealed", after_attempt=2
    )
    assert (servicer.asked, document) == (expected, DOCUMENT)


async def test_a_replay_is_bounded() -> None:
    """By reason, product and number."""
    answer = metadata_pb2.ReplayQuarantinedResponse(document_ids=["a", "b"], more=True)
    async with metadata(answer) as (records, servicer):
        replayed = await records.replay(Replay("CRASHED", "tax", 2))

    assert servicer.asked == metadata_pb2.ReplayQuarantinedRequest(
        reason="CRASHED", product="tax", max_documents=2
    )
    assert replayed == Replayed(("a", "b"), more=True)


STORED = Document(
    document_id=str(ID),
    object_key="key",
    content_type="application/pdf",
    size_bytes=5,
    sha256=b"h" * 32,
)


async def test_a_picture_is_asked_for_by_all_that_drawing_needs() -> None:
    """The orchestrator need not read the document's row."""
    answer = orchestrator_pb2.RenderThumbnailResponse(content=b"webp", object_key="thumb")
    async with orchestrator(answer) as (renderer, servicer):
        picture = await renderer.thumbnail(STORED, 3, 512)

    assert picture == b"webp"
    assert servicer.asked == orchestrator_pb2.RenderThumbnailRequest(
        document_id=str(ID),
        object_key="key",
        content_type="application/pdf",
        size_bytes=5,
        sha256=b"h" * 32,
        page=3,
        width_px=512,
    )


async def test_why_a_page_is_not_drawn_is_passed_on() -> None:
    """With its reason."""
    async with orchestrator(InvalidInput("ENCRYPTED", "it has a password")) as (renderer, _):
        with pytest.raises(InvalidInput, match="ENCRYPTED"):
            await renderer.thumbnail(STORED, 1, 128)


@pytest.mark.parametrize(
    ("add", "answer"),
    [
        (metadata_pb2_grpc.add_MetadataServiceServicer_to_server, None),
        (
            orchestrator_pb2_grpc.add_OrchestratorServiceServicer_to_server,
            Unavailable("ROLE_DOES_NOT_EXTRACT", "not this role"),
        ),
    ],
)
async def test_what_cannot_draw_counts_as_down(
    add: Callable[[Any, grpc.aio.Server], None],
    answer: Exception | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Another service, or an orchestrator of another role; the operator is told the variable."""
    async with _serving(Scripted(answer, add, "other")) as peer:
        with pytest.raises(Unavailable, match="PEER_UNAVAILABLE"):
            await GrpcPageRenderer(peer, 5.0).thumbnail(STORED, 1, 128)

    assert "ORCHESTRATOR_ADDRESS" in capsys.readouterr().out


async def test_without_an_orchestrator_only_pictures_are_missing() -> None:
    """503; connecting is tried at the call, not at the start."""
    async with grpc_peer("orchestrator", "127.0.0.1:1", SETTINGS) as peer:
        with pytest.raises(Unavailable, match="PEER_UNAVAILABLE"):
            await GrpcPageRenderer(peer, 5.0).thumbnail(STORED, 1, 128)
