"""The calls that are one request and one answer; how one is sent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

import msgspec

from sheaf_client.config import Config
from sheaf_client.errors import AnswerInvalid, NotFoundError
from sheaf_client.models import Batch, Document, Kpis, Replayed, Workflow
from sheaf_client.options import ReprocessOptions
from sheaf_client.retrying import Attempts, tried
from sheaf_client.steps import Answer, Flow, Request

ResultT = TypeVar("ResultT")
StructT = TypeVar("StructT", bound=msgspec.Struct)

_DOT_SEGMENTS: Final = frozenset({"", ".", ".."})
_document = msgspec.json.Decoder(Document).decode
_batch = msgspec.json.Decoder(Batch).decode


@dataclass(frozen=True, slots=True)
class Call(Generic[ResultT]):
    """One call: what is sent, and how its answer is read.

    `repeatable` says whether it may be sent again when its answer is lost; `body` is JSON, and
    may hold a password.
    """

    method: str
    path: str
    decode: Callable[[bytes], ResultT]
    params: Mapping[str, str] = field(default_factory=dict)
    wait_s: float = 0
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    repeatable: bool = True


def sent(call: Call[ResultT], config: Config) -> Flow[ResultT]:
    """What a call is answered."""
    request = Request(
        call.method,
        call.path,
        config.timeout_s + call.wait_s,
        params=call.params,
        json=call.body,
    )
    answer = yield from tried(request, Attempts.of(config, repeatable=call.repeatable))
    return decoded(answer, call.decode)


def deleted(path: str, config: Config) -> Flow[None]:
    """Deletes. That it is gone is no error where an earlier try may have done it."""
    attempts = Attempts.of(config)
    try:
        answer = yield from tried(Request("DELETE", path, config.timeout_s), attempts)
    except NotFoundError:
        if attempts.made <= 1:
            raise
    else:
        if answer.status != HTTPStatus.NO_CONTENT:
            raise AnswerInvalid(f"the answer is {answer.status}, so it is not known to be done")


def decoded(answer: Answer, decode: Callable[[bytes], ResultT]) -> ResultT:
    """What a good answer holds. Raises AnswerInvalid if it is none of this API."""
    if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
        raise AnswerInvalid(f"the answer is {answer.status}: is the address that of Sheaf?")
    try:
        return decode(answer.body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise AnswerInvalid(f"the answer is not what this API gives: {error}") from error


def given(**values: Any) -> dict[str, Any]:
    """Those that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def known(asked: Mapping[str, Any], options: type) -> dict[str, Any]:
    """What is asked, without what is None. TypeError for a name that the options have not."""
    names = options.__annotations__
    if strangers := sorted(set(asked) - set(names)):
        raise TypeError(f"{strangers[0]!r} is none of: {', '.join(names)}")
    return given(**asked)


def document_path(document_id: str, *rest: str) -> str:
    """Where a document is, or a part of it. Raises ValueError for what can be no id."""
    return "/".join(("/v1/documents", _segment(document_id), *rest))


def batch_path(batch_id: str, *rest: str) -> str:
    """Where a batch is, or a part of it. Raises ValueError for what can be no id."""
    return "/".join(("/v1/batches", _segment(batch_id), *rest))


def key_path(key_id: str) -> str:
    """Where an API key is. Raises ValueError for what can be no id."""
    return f"/v1/keys/{_segment(key_id)}"


def get_document(document_id: str, wait_s: float = 0) -> Call[Document]:
    """Reads a document."""
    return Call("GET", document_path(document_id), _document, _wait(wait_s), wait_s)


def get_batch(batch_id: str, wait_s: float = 0) -> Call[Batch]:
    """Reads a batch."""
    return Call("GET", batch_path(batch_id), _batch, _wait(wait_s), wait_s)


def get_workflow(workflow_id: str) -> Call[Workflow]:
    """Reads a workflow."""
    path = f"/v1/workflows/{_segment(workflow_id)}"
    return Call("GET", path, msgspec.json.Decoder(Workflow).decode)


def get_text(document_id: str) -> Call[str]:
    """Reads a document's text."""
    return Call("GET", document_path(document_id, "text"), bytes.decode)


def get_result(document_id: str) -> Call[dict[str, Any]]:
    """Reads a document's result."""
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    return Call("GET", document_path(document_id, "result"), decode)


def get_markdown(document_id: str) -> Call[str]:
    """Reads a document as Markdown."""
    return Call("GET", document_path(document_id, "markdown"), bytes.decode)


def get_thumbnail(document_id: str, page: int, width: int) -> Call[bytes]:
    """Reads the picture of a page."""
    params = {"page": str(page), "width": str(width)}
    return Call("GET", document_path(document_id, "thumbnail"), bytes, params)


def cancel(document_id: str) -> Call[Document]:
    """Cancels a document; that it is cancelled already is no error."""
    return Call("POST", document_path(document_id, "cancel"), _document)


def reprocess(document_id: str, asked: ReprocessOptions) -> Call[Document]:
    """Queues a document again: at each call, so it is not repeated."""
    wanted = known(asked, ReprocessOptions)
    languages = wanted.pop("ocr_languages", None)
    if languages is not None:
        wanted["ocr_language"] = list(languages)
    path = document_path(document_id, "reprocess")
    return Call("POST", path, _document, body=wanted, repeatable=False)


def replay(reason: str | None, product: str | None, limit: int) -> Call[Replayed]:
    """Queues quarantined documents again: others at each call, so it is not repeated."""
    return Call(
        "POST",
        "/v1/quarantine/replay",
        msgspec.json.Decoder(Replayed).decode,
        body=given(reason=reason, product=product, limit=limit),
        repeatable=False,
    )


def kpis(window_s: int) -> Call[Kpis]:
    """Reads the targets."""
    params = {"window": str(window_s)}
    return Call("GET", "/v1/ops/kpis", msgspec.json.Decoder(Kpis).decode, params)


def _segment(identifier: str) -> str:
    if identifier in _DOT_SEGMENTS:
        raise ValueError(f"{identifier!r} is no id")
    return quote(identifier, safe="")


def _wait(wait_s: float) -> dict[str, str]:
    return {"wait": f"{wait_s:g}"} if wait_s > 0 else {}
