"""What the OpenAPI description says of all operations alike: parameters by name, headers.

Annotations say a parameter's type and bounds. What a text must look like is checked by the use
cases, with codes of their own, so it is told here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from litestar.enums import ParamType
from litestar.openapi.spec import (
    Example,
    OpenAPI,
    OpenAPIHeader,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Parameter,
    Reference,
    Schema,
)

from sheaf_gateway.api.fields import FIELDS
from sheaf_gateway.domain.checking import PRODUCT_MAX_CHARACTERS
from sheaf_gateway.events import MAX_POSITION

PUBLIC_PREFIX: Final = "/v1"
EXAMPLE_ID: Final = "019a2f6e-7c1b-7d5a-9a43-0c6f3f1b2e11"

_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_LABEL: Final = "^[ -~]*$"
_MOMENT: Final = "2026-01-02T03:04:05Z"


def _text(example: str, **bounds: Any) -> tuple[Schema, str | int]:
    return Schema(type=OpenAPIType.STRING, **bounds), example


_POSITION: Final = (Schema(type=OpenAPIType.INTEGER, minimum=0, maximum=MAX_POSITION), 4711)
_ID: Final = _text(EXAMPLE_ID, format="uuid")
_PARAMETERS: Final[Mapping[str, tuple[Schema, str | int]]] = {
    "document_id": _ID,
    "batch_id": _ID,
    "parent_id": _ID,
    "key_id": _ID,
    "workflow_id": _text("extract-019a2f6e7c1b", pattern=_LABEL, max_length=64),
    "product": _text("tax-2026", pattern=_LABEL, max_length=PRODUCT_MAX_CHARACTERS),
    "document_class": _text("invoice", pattern=_LABEL, max_length=64),
    "content_type": _text(
        "application/pdf", pattern=r"^([!-~]+/[!-~]+|[!-~]+/\*)?$", max_length=127
    ),
    "uploaded_from": _text(_MOMENT, format="date-time"),
    "uploaded_before": _text(_MOMENT, format="date-time"),
    "after": _POSITION,
    "Last-Event-ID": _POSITION,
    "fields": _text(
        "id,status,pages",
        pattern=f"^({'|'.join(FIELDS)})(,({'|'.join(FIELDS)}))*$",
        max_length=512,
    ),
}


def _header(description: str, kind: OpenAPIType, example: Any) -> OpenAPIHeader:
    return OpenAPIHeader(schema=Schema(type=kind, examples=[example]), description=description)


_RETRY_AFTER: Final = _header(
    "How many seconds to wait before the next try.", OpenAPIType.INTEGER, 2
)
_REQUEST_ID: Final = _header(
    "Names the request in logs; the one that was sent, if it is sane.",
    OpenAPIType.STRING,
    EXAMPLE_ID,
)
_ETAG: Final = _header(
    "Names these bytes, for If-None-Match.", OpenAPIType.STRING, '"9f86d081884c7d65"'
)
_BY_STATUS: Final[Mapping[str, Mapping[str, OpenAPIHeader]]] = {
    "202": {"Retry-After": _RETRY_AFTER},
    "206": {
        "Content-Range": _header("Which bytes these are.", OpenAPIType.STRING, "bytes 0-99/1234")
    },
    "304": {"ETag": _ETAG},
    "401": {
        "WWW-Authenticate": _header(
            "How to authenticate.", OpenAPIType.STRING, 'Bearer realm="sheaf"'
        )
    },
    "429": {"Retry-After": _RETRY_AFTER},
    "503": {"Retry-After": _RETRY_AFTER},
}


def complete(description: OpenAPI) -> None:
    """Adds to every operation of a description what is the same wherever it occurs."""
    for path, _method, operation in _operations(description):
        operation.parameters = [_told(each) for each in operation.parameters or []] or None
        if path.startswith(PUBLIC_PREFIX):
            for status, answer in (operation.responses or {}).items():
                if isinstance(answer, OpenAPIResponse):
                    answer.headers = {
                        "X-Request-ID": _REQUEST_ID,
                        **_BY_STATUS.get(status, {}),
                        **(answer.headers or {}),
                    }


def query_parameters(description: OpenAPI) -> Mapping[tuple[str, str], frozenset[str]]:
    """The names of the query parameters of each operation, by path template and method."""
    return {
        (path, method.upper()): frozenset(
            each.name
            for each in operation.parameters or []
            if isinstance(each, Parameter) and each.param_in == ParamType.QUERY
        )
        for path, method, operation in _operations(description)
    }


def _operations(description: OpenAPI) -> Iterator[tuple[str, str, Operation]]:
    for path, item in (description.paths or {}).items():
        for method in _METHODS:
            if (operation := getattr(item, method)) is not None:
                yield path, method, operation


def _told(parameter: Parameter | Reference) -> Parameter | Reference:
    """A parameter with its text's form and an example, if its name is known here."""
    if isinstance(parameter, Reference) or parameter.name not in _PARAMETERS:
        return parameter
    schema, example = _PARAMETERS[parameter.name]
    return replace(
        parameter,
        schema=replace(schema, description=parameter.description),
        examples={"example": Example(value=example)},
    )
