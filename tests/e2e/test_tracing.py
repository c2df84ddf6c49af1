"""Traces of the real system: one a document, over every service and over the queue."""

import secrets
from collections.abc import Sequence
from email.message import EmailMessage

import pytest
from sqlalchemy import text

from sheaf_dev.samples.generator import text_pdf
from support.otlp import ReceivedSpan
from support.system import System
from support.waiting import until

_STORAGE, _METADATA = "sheaf.storage.v1.StorageService", "sheaf.metadata.v1.MetadataService"
_ACTIVITY = "activity extract_group"

SpanPath = list[tuple[str, str]]


class Traced:
    """An upload of one file, whose client has begun a trace."""

    def __init__(self, filename: str, content: bytes) -> None:
        self.filename = filename
        self.content = content
        self.trace_id, self.client_span = secrets.token_hex(16), secrets.token_hex(8)

    async def upload(self, system: System) -> str:
        """Sends it; the document's id."""
        answer = await system.http.post(
            "/v1/documents",
            files=[("files", (self.filename, self.content))],
            headers={"traceparent": f"00-{self.trace_id}-{self.client_span}-01"},
        )
        assert answer.status_code == 202, answer.text
        document_id: str = answer.json()["documents"][0]["id"]
        return document_id

    async def spans(
        self, system: System, *names: str, count: int = 1, paths: Sequence[SpanPath] = ()
    ) -> list[ReceivedSpan]:
        """The trace, once it has the paths, so many spans of each name, and all they are below.

        Every service exports on its own and whenever its batch is due, so a service's spans may
        come after those of what called it: whoever claims that a span is there waits for it.
        """

        def whole() -> bool:
            spans = system.traces.trace(self.trace_id)
            known = {span.span_id for span in spans} | {self.client_span}
            seen = [span.name for span in spans]
            had = [path(spans, span) for span in spans]
            return (
                all(seen.count(name) >= count for name in names)
                and all(span.parent_id in known for span in spans)
                and all(each in had for each in paths)
            )

        try:
            await until(whole, timeout_s=60)
        except TimeoutError:
            spans = system.traces.trace(self.trace_id)
            had = [path(spans, span) for span in spans]
            missing = [each for each in paths if each not in had]
            pytest.fail(f"the trace never became whole; missing {missing}, had {had}")
        return system.traces.trace(self.trace_id)


def named(spans: list[ReceivedSpan], name: str, service: str = "") -> ReceivedSpan:
    """The first span of that name."""
    return next(span for span in spans if span.name == name and span.service.endswith(service))


def path(spans: list[ReceivedSpan], span: ReceivedSpan) -> SpanPath:
    """Service and name from the root of the trace down to a span."""
    by_id = {each.span_id: each for each in spans}
    steps = [span]
    while (parent := by_id.get(steps[0].parent_id)) is not None:
        steps.insert(0, parent)
    return [(each.service.removeprefix("sheaf-"), each.name) for each in steps]


async def test_a_document_is_one_trace_from_the_request_to_its_outcome(system: System) -> None:
    """Below the client's own span: every service, S3, SQL, Redis, the queue and the activity."""
    traced = Traced("a name to hide.pdf", text_pdf(1, 2))
    document_id = await traced.upload(system)
    await system.finished([document_id])
    request = [("gateway", "POST /v1/documents")]
    registered = [
        *request,
        ("gateway", f"{_METADATA}/RegisterBatch"),
        ("metadata", f"{_METADATA}/RegisterBatch"),
    ]
    activity = [*registered, ("orchestrator", _ACTIVITY)]
    document = [*activity, ("orchestrator", "document")]
    stored = ("storage", f"{_STORAGE}/PutWholeObject")
    paths: list[SpanPath] = [
        [*request, ("gateway", stored[1]), stored, ("storage", "s3 put_object")],
        [*registered, ("metadata", "mysql register_batch")],
        [*registered, ("metadata", "redis fairness")],
        [*registered, ("metadata", "queue")],
        [*registered, ("metadata", "claim")],
        [*registered, ("orchestrator", "start ProcessGroup")],
        [*registered, ("orchestrator", "workflow ProcessGroup")],
        [
            *document,
            ("orchestrator", "fetch"),
            ("orchestrator", f"{_STORAGE}/FetchObject"),
            ("storage", f"{_STORAGE}/FetchObject"),
        ],
        [*document, ("orchestrator", "extract")],
        [
            *document,
            ("orchestrator", "put"),
            ("orchestrator", stored[1]),
            stored,
            ("storage", "s3 put_object"),
        ],
        [
            *activity,
            ("orchestrator", "record"),
            ("orchestrator", f"{_METADATA}/RecordOutcomes"),
            ("metadata", f"{_METADATA}/RecordOutcomes"),
            ("metadata", "mysql record_outcomes"),
        ],
    ]
    spans = await traced.spans(system, "redis cache_put", paths=paths)
    root = named(spans, "POST /v1/documents")
    assert (root.parent_id, root.kind) == (traced.client_span, "SERVER")
    assert root.attributes["http.response.status_code"] == 202
    # In order: registered, waited, claimed, on its way, worked on.
    queue, workflow = named(spans, "queue"), named(spans, "workflow ProcessGroup")
    assert queue.begin_ns <= queue.end_ns <= workflow.end_ns <= named(spans, "extract").begin_ns
    for span in (queue, named(spans, _ACTIVITY), named(spans, "document")):
        assert span.attributes["sheaf.document.id"] == document_id
    put = named(spans, "s3 put_object")
    assert put.attributes["aws.s3.bucket"] == system.stack.env["S3_BUCKET"]
    assert put.attributes["sheaf.size_bytes"] == len(traced.content)
    assert put.attributes["sheaf.retries"] == 0
    assert "name to hide" not in repr(spans)
    assert not any(span.failed for span in spans)


async def test_an_attachment_is_in_the_trace_of_what_it_was_found_in(system: System) -> None:
    """With a wait and work of its own."""
    mail = EmailMessage()
    mail["Subject"] = "see below"
    mail.set_content("text of the mail")
    mail.add_attachment(b"text of the attachment\n", "text", "plain", filename="b.txt")
    traced = Traced("a.eml", bytes(mail))
    await system.finished([await traced.upload(system)])
    spans = await traced.spans(system, "queue", "document", "record", count=2)
    ids = {span.attributes["sheaf.document.id"] for span in spans if span.name == "document"}
    assert len(ids) == 2


async def test_documents_of_a_group_stay_in_their_own_traces(system: System) -> None:
    """The group's spans are the first one's; the others' have links to its activity.

    What is not traced makes no spans, and nothing of it is written anywhere.
    """
    first, second = (Traced(f"{name}.txt", b"text of %d" % name) for name in (1, 2))
    await system.stack.stop_process("orchestrator")
    ids = [await first.upload(system), await second.upload(system)]
    ids += await system.accepted({"untraced.txt": b"text of a third"})
    await system.stack.start_process("orchestrator")
    await system.finished(ids)

    spans = await first.spans(system, "record", "document")
    others = await second.spans(system, "queue", "document")
    activity = named(spans, _ACTIVITY)
    assert activity.attributes["sheaf.group.documents"] == 3
    document = named(others, "document")
    assert document.links == ((first.trace_id, activity.span_id),)
    assert path(others, document)[-2] == ("metadata", f"{_METADATA}/RegisterBatch")
    assert document.attributes["sheaf.document.id"] == ids[1]
    assert [span.name for span in others if span.parent_id == document.span_id] == [
        "fetch", "extract", "put",
    ]  # fmt: skip
    own = named(spans, "document")
    assert (own.parent_id, own.links) == (activity.span_id, ())
    assert {"claim", "start ProcessGroup", "workflow ProcessGroup", _ACTIVITY, "record"}.isdisjoint(
        span.name for span in others
    )
    assert ids[2] not in repr(system.traces.spans)
    async with system.engine.connect() as connection:
        rows = await connection.execute(text("SELECT LENGTH(traceparent) FROM document"))
        assert None in rows.scalars().all()
