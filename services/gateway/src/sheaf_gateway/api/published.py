"""What anyone may read: the schema of results."""

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

from litestar import Request, Response, get
from litestar.openapi.datastructures import ResponseSpec

from sheaf_gateway.api.headers import etag_matches

_MEDIA_TYPE: Final = "application/schema+json"


@get(
    "/v1/schemas/result",
    tags=["Content"],
    summary="JSON Schema of a result",
    security=[{}],
    responses={
        200: ResponseSpec(
            dict,
            generate_examples=False,
            description="JSON Schema 2020-12 of `sheaf.result/1`.",
            media_type=_MEDIA_TYPE,
        ),
        304: ResponseSpec(None, description="Not changed."),
    },
)
async def result_schema(request: Request[Any, Any, Any]) -> Response[bytes | None]:
    """What `GET /v1/documents/{document_id}/result` answers; needs no key.

    A field may be added within a version: readers ignore what they do not know.
    """
    schema, etag = _schema()
    headers = {"etag": etag, "cache-control": "public, max-age=3600"}
    if etag_matches(request.headers.get("if-none-match"), etag):
        return Response(None, status_code=304, headers=headers)
    return Response(schema, media_type=_MEDIA_TYPE, headers=headers)


@cache
def _schema() -> tuple[bytes, str]:
    """The file as the orchestrator generates it, and its validator."""
    content = files("sheaf_gateway").joinpath("result.schema.json").read_bytes()
    return content, f'"{sha256(content).hexdigest()[:32]}"'
