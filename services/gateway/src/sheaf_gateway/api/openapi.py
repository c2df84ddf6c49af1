"""The OpenAPI 3.1 description: what annotations alone do not say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
    Example,
    OpenAPI,
    OpenAPIHeader,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Schema,
    SecurityScheme,
)

from sheaf_gateway.api.docs_page import DocsPage
from sheaf_gateway.api.kpi_schemas import KPIS_EXAMPLE, KpisBody
from sheaf_gateway.api.links import accepted_file_links, batch_links
from sheaf_gateway.api.problems import MEDIA_TYPE, Problem
from sheaf_gateway.api.schemas import AcceptedFileBody, RejectedFileBody

_CODES: Final[Mapping[int, str]] = {
    400: "ID_INVALID, PARAMETER_INVALID, PARAMETER_UNKNOWN, MULTIPART_INVALID, BOUNDARY_MISSING, "
    "BODY_EMPTY, NO_FILES, PRODUCT_INVALID, FILENAME_MISSING, FILENAME_INVALID, CURSOR_INVALID, "
    "FIELD_INVALID, FIELD_UNKNOWN, FIELD_TOO_LARGE, TOO_MANY_FIELDS, WIDTH_INVALID, JSON_INVALID, "
    "IDEMPOTENCY_KEY_INVALID",
    401: "API_KEY_MISSING, API_KEY_MALFORMED, API_KEY_UNKNOWN, API_KEY_EXPIRED, API_KEY_REVOKED",
    403: "SCOPE_MISSING; RATE_LIMIT_TOO_HIGH",
    404: "DOCUMENT_NOT_FOUND, BATCH_NOT_FOUND, WORKFLOW_NOT_FOUND, API_KEY_NOT_FOUND: not there, "
    "or someone else's; PAGE_NOT_FOUND",
    408: "UPLOAD_IDLE, UPLOAD_TIMEOUT",
    409: "NOT_READY (try again after Retry-After), NO_RESULT, RESULT_TOO_LARGE, NO_MARKDOWN; "
    "DOCUMENT_NOT_TERMINAL, ATTEMPT_CHANGED; NOT_DRAWN, ENCRYPTED, DAMAGED and the other reasons "
    "for which no page is drawn; LOCK_CONFLICT (try again)",
    413: "BODY_TOO_LARGE, FILE_TOO_LARGE, TOO_MANY_FILES",
    415: "UNSUPPORTED_FORMAT (of a file), UNSUPPORTED_MEDIA_TYPE (of the request)",
    416: "RANGE_NOT_SATISFIABLE",
    422: "FILE_EMPTY, OPTION_INVALID (`field` and `allowed` say what), METADATA_INVALID (and"
    " `position`), FIELD_REPEATED, FIELD_IS_FILE, BODY_INVALID, PASSWORDS_NOT_ACCEPTED,"
    " IDEMPOTENCY_KEY_REUSED",
    429: "RATE_LIMITED, UNKNOWN_KEYS_LIMITED, REQUESTS_IN_FLIGHT, SANDBOX_BUSY, KPIS_BUSY, "
    "STREAMS_EXHAUSTED, USER_STREAMS_EXHAUSTED; of uploads BACKLOG_TOO_OLD, UPLOADS_IN_FLIGHT, "
    "UPLOAD_BUFFER_FULL: come back after Retry-After",
    500: "INTERNAL, OBJECT_MISSING",
    503: "A dependency is down, or TOO_MANY_CONNECTIONS: come back after Retry-After",
    504: "A dependency was too slow",
}
_UNAUTHENTICATED: Final = "401"
_ALWAYS: Final = (401, 403, 429, 500, 503, 504)
_RATE_HEADERS: Final[Mapping[str, str]] = {
    "RateLimit-Policy": '`"default";q=QUOTA;w=SECONDS`: what the key may do in so many seconds.',
    "RateLimit": '`"default";r=REMAINING;t=SECONDS`: what remains, and when all does again.',
}
"""On every answer to a request with a good key (draft-ietf-httpapi-ratelimit-headers)."""


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """Problem answers with the given statuses, and those that every call may have."""
    return {status: _problem(status, _CODES[status]) for status in sorted({*statuses, *_ALWAYS})}


def _problem(status: int, codes: str) -> ResponseSpec:
    return ResponseSpec(
        Problem,
        description=codes,
        media_type=MEDIA_TYPE,
        generate_examples=False,
        examples=[Example(value=_problem_example(status, codes))],
    )


def read_responses(*statuses: int) -> dict[int, ResponseSpec]:
    """The problems of a read."""
    return problems(*statuses)


def describe_rates(description: OpenAPI) -> None:
    """Adds the headers that tell of a key's rate, to what only good keys are answered too."""
    for item in (description.paths or {}).values():
        for name in ("get", "head", "post", "put", "patch", "delete"):
            operation: Operation | None = getattr(item, name)
            if operation is None or operation.security == [{}]:
                continue
            for status, answer in (operation.responses or {}).items():
                if status != _UNAUTHENTICATED and isinstance(answer, OpenAPIResponse):
                    answer.headers = {**(answer.headers or {}), **_rate_headers()}


def _rate_headers() -> dict[str, OpenAPIHeader]:
    return {
        name: OpenAPIHeader(schema=Schema(type=OpenAPIType.STRING), description=text)
        for name, text in _RATE_HEADERS.items()
    }


def _octets(description: str, media_type: str = "application/octet-stream") -> ResponseSpec:
    return ResponseSpec(
        bytes, generate_examples=False, description=description, media_type=media_type
    )


def _any(description: str) -> ResponseSpec:
    """Bytes of any media type, of which no schema says anything: they may be JSON."""
    return ResponseSpec(Any, generate_examples=False, description=description, media_type="*/*")


def _text(description: str, media_type: str) -> ResponseSpec:
    return ResponseSpec(
        str, generate_examples=False, description=description, media_type=media_type
    )


def _problem_example(status: int, codes: str) -> dict[str, object]:
    code = codes.replace(":", ",").split(",", maxsplit=1)[0].split(" ")[0]
    return {
        "type": f"urn:sheaf:problem:{code.lower().replace('_', '-')}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": "what happened this time",
        "code": code,
        "instance": "/v1/documents",
        "request_id": "019a2f6e-7c1b-7d5a-9a43-0c6f3f1b2e11",
    }


_UPLOAD_EXAMPLE: Final = {
    "batch_id": "019a2f6e-7c1b-7d5a-9a43-0c6f3f1b2e11",
    "documents": [
        {
            "id": "019a2f6e-7c1b-7d5a-9a43-0c6f3f1b2e12",
            "filename": "invoice.pdf",
            "status": "queued",
            "size_bytes": 48213,
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "content_type": "application/pdf",
            "links": accepted_file_links("019a2f6e-7c1b-7d5a-9a43-0c6f3f1b2e12"),
            "duplicate_of": None,
        },
        {
            "filename": "photo.heic",
            "status": "rejected",
            "problem": {
                "type": "urn:sheaf:problem:unsupported-format",
                "title": "Unsupported format",
                "status": 415,
                "detail": "files of this format are not taken",
                "code": "UNSUPPORTED_FORMAT",
            },
        },
    ],
    "links": batch_links("019a2f6e-7c1b-7d5a-9a43-0c6f3f1b2e11"),
}


@dataclass
class UploadDescription:
    """What became of an upload, file by file in the order of the request."""

    batch_id: str
    documents: list[AcceptedFileBody | RejectedFileBody]
    links: dict[str, str]


UPLOAD_RESPONSES: Final = {
    **problems(400, 408, 413, 415, 422, 429),
    409: _problem(
        409,
        "IDEMPOTENCY_KEY_IN_FLIGHT, IDEMPOTENCY_KEY_LOST: another request has the key, come back"
        " after Retry-After",
    ),
    202: ResponseSpec(
        UploadDescription,
        generate_examples=False,
        description="At least one file was accepted. `Location` names the batch, `Retry-After` when"
        " to look.",
        examples=[Example(value=_UPLOAD_EXAMPLE)],
    ),
}
TEXT_RESPONSES: Final = {
    **problems(400, 404, 409),
    200: _text("The text in UTF-8.", "text/plain"),
    304: ResponseSpec(None, description="Not changed."),
}
MARKDOWN_RESPONSES: Final = {
    **problems(400, 404, 409),
    200: _text("The document as Markdown in UTF-8.", "text/markdown"),
    304: ResponseSpec(None, description="Not changed."),
}
THUMBNAIL_RESPONSES: Final = {
    **problems(400, 404, 409, 415, 429),
    200: _octets("The picture.", "image/webp"),
    304: ResponseSpec(None, description="Not changed."),
}
RESULT_RESPONSES: Final = {
    **problems(400, 404, 409),
    200: ResponseSpec(
        dict, generate_examples=False, description="The result, schema `sheaf.result/1`."
    ),
    304: ResponseSpec(None, description="Not changed."),
}
CONTENT_RESPONSES: Final = {
    **problems(400, 404, 416),
    200: _any("The file, of the type that was recognised."),
    206: _any("A range of it."),
    304: ResponseSpec(None, description="Not changed."),
}
DELETE_RESPONSES: Final = {
    **problems(400, 404, 409, 429),
    204: ResponseSpec(None, description="It is gone."),
}
KPI_RESPONSES: Final = {
    **problems(400, 429),
    200: ResponseSpec(
        KpisBody,
        generate_examples=False,
        description="Every target. A part that did not answer in 2 s is named in `unavailable`.",
        examples=[Example(value=KPIS_EXAMPLE)],
    ),
}


def openapi_config(version: str) -> OpenAPIConfig:
    """The description and its page. The page needs nothing from elsewhere."""
    return OpenAPIConfig(
        title="Sheaf",
        version=version,
        description="Documents in, text out. Every error is application/problem+json.",
        path="/docs",
        render_plugins=[DocsPage(path="/"), JsonRenderPlugin(path="/openapi.json")],
        use_handler_docstrings=True,
        security=[{"bearer": []}, {"header": []}],
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(
                    type="http", scheme="bearer", description="An API key, sk_…"
                ),
                "header": SecurityScheme(
                    type="apiKey", name="X-API-Key", security_scheme_in="header",
                    description="An API key, sk_…",
                ),
            }
        ),
    )  # fmt: skip
