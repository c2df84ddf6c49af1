"""The bodies of requests, as the OpenAPI description tells them.

They are read as they arrive, past Litestar's models, so annotations do not say them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from litestar.openapi.spec import (
    Example,
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Reference,
    RequestBody,
    Schema,
)

from sheaf_gateway.api import idempotency
from sheaf_gateway.api.requests import DEFAULT_REPLAYED, MAX_ATTEMPT, MAX_REPLAYED
from sheaf_gateway.client_metadata import MAX_MEMBERS, METADATA_ALLOWED
from sheaf_gateway.domain.checking import PRODUCT_MAX_CHARACTERS
from sheaf_gateway.options import (
    LANGUAGES_ALLOWED,
    PASSWORD_ALLOWED,
    PASSWORD_MAX_BYTES,
    Duplicates,
    OcrMode,
    Priority,
)
from sheaf_gateway.pages import MAX_CHARACTERS, PAGES_ALLOWED, PAGES_PATTERN

# Without a type: bytes are none of JSON's (OpenAPI 3.1, "Considerations for File Uploads").
_BINARY: Final = Schema(content_media_type="application/octet-stream")


def _text(description: str, **more: Any) -> Schema:
    return Schema(type=OpenAPIType.STRING, description=description, **more)


def _one_of(enum: type[StrEnum], default: str, description: str) -> Schema:
    return _text(description, enum=[member.value for member in enum], default=default)


def _header(description: str, kind: OpenAPIType) -> OpenAPIHeader:
    return OpenAPIHeader(schema=Schema(type=kind), description=description, required=True)


_WORDS: Final = Schema(
    type=OpenAPIType.BOOLEAN,
    default=False,
    description="Whether the result holds words with their boxes.",
)
_OCR: Final = _one_of(
    OcrMode,
    OcrMode.AUTO,
    "When pages are recognised: where they have no usable text, always, or never.",
)
_LANGUAGE: Final = Schema(
    type=OpenAPIType.ARRAY,
    items=Schema(type=OpenAPIType.STRING, pattern="^[a-z]{3}$"),
    max_items=5,
    description=f"Languages to recognise, most likely first: {LANGUAGES_ALLOWED}.",
)
_PAGES: Final = _text(
    f"Which pages are read, if not all: {PAGES_ALLOWED}. Empty means all.",
    max_length=MAX_CHARACTERS,
    pattern=PAGES_PATTERN,
    examples=["1-3,7,10-"],
)
_METADATA: Final = Schema(
    type=OpenAPIType.OBJECT,
    additional_properties=True,
    max_properties=MAX_MEMBERS,
    description=f"What you write on all files of the upload: {METADATA_ALLOWED}. It comes back as"
    " it was sent with every document, those that are found in the files included.",
    examples=[{"customer": "4711", "tags": ["tax", "2026"]}],
)
_LANGUAGES_IN_FORM: Final = _text(
    f"Languages to recognise, most likely first: {LANGUAGES_ALLOWED}, with commas between, or the"
    " field several times. One that is repeated counts once.",
    pattern="^([a-z]{3}(,[a-z]{3}){0,4})?$",
)
_PASSWORD: Final = _text(
    f"Opens encrypted documents, PDF and Office files: {PASSWORD_ALLOWED}. It is kept encrypted"
    " until the document has ended, and never shown.",
    format="password",
    max_length=PASSWORD_MAX_BYTES,
    write_only=True,
)
_PRODUCT: Final = _text(
    "A label of your own for the whole upload.",
    max_length=PRODUCT_MAX_CHARACTERS,
    pattern="^([A-Za-z0-9][A-Za-z0-9._:/-]*)?$",
)
_PRIORITY: Final = _one_of(Priority, Priority.NORMAL, "How urgent the files are.")

_DUPLICATES: Final = _one_of(
    Duplicates,
    Duplicates.REUSE,
    "A file whose content you uploaded before completes at once with a copy of its result, or is"
    " processed again.",
)


@dataclass
class UploadOperation(Operation):
    """The upload, whose multipart body is parsed as it streams."""

    def __post_init__(self) -> None:
        """Describes the body, the idempotency key, and the headers of the answer."""
        accepted = (self.responses or {}).get("202")
        if isinstance(accepted, OpenAPIResponse):
            accepted.headers = {
                "Location": _header("Where the batch is read.", OpenAPIType.STRING),
                "Retry-After": _header("Seconds until to look.", OpenAPIType.INTEGER),
                idempotency.REPLAYED: idempotency.REPLAYED_DESCRIPTION,
            }
        self.parameters = [*(self.parameters or []), idempotency.PARAMETER]
        files = Schema(
            type=OpenAPIType.ARRAY,
            items=_BINARY,
            min_items=1,
            description="The files; `files` is taken as well.",
        )
        self.request_body = RequestBody(
            required=True,
            description="Any number of files and, before or after them, text fields, which hold"
            " for all files. Before them, a wrong one is told before the files are sent."
            " `ocr_language` may be there several times, or hold several with commas between.",
            content={
                "multipart/form-data": OpenAPIMediaType(
                    schema=Schema(
                        type=OpenAPIType.OBJECT,
                        properties={
                            "product": _PRODUCT,
                            "metadata": _METADATA,
                            "priority": _PRIORITY,
                            "words": _WORDS,
                            "ocr": _OCR,
                            "ocr_language": _LANGUAGES_IN_FORM,
                            "pages": _PAGES,
                            "password": _PASSWORD,
                            "duplicates": _DUPLICATES,
                            "file": files,
                        },
                        required=["file"],
                        additional_properties=False,
                    )
                )
            },
        )


@dataclass
class ReprocessOperation(Operation):
    """Reprocessing, whose body may be left out."""

    def __post_init__(self) -> None:
        """Describes the body."""
        self.request_body = _json(
            "What is asked this time. An option that is not named stays as it was; a password is"
            " never kept, so it is sent again where one is needed.",
            {
                "words": _WORDS,
                "ocr": _OCR,
                "ocr_language": _LANGUAGE,
                "pages": _PAGES,
                "password": replace(_PASSWORD, min_length=1),
                "after_attempt": Schema(
                    type=OpenAPIType.INTEGER,
                    minimum=1,
                    maximum=MAX_ATTEMPT,
                    description="The attempt that this one follows: a call that is repeated then"
                    " queues only once (409, ATTEMPT_CHANGED).",
                ),
            },
            {"ocr": "always", "ocr_language": ["deu", "eng"], "after_attempt": 1},
        )


@dataclass
class ReplayOperation(Operation):
    """Replaying, whose body may be left out."""

    def __post_init__(self) -> None:
        """Describes the body."""
        self.request_body = _json(
            "Which documents; without it any.",
            {
                "reason": _text(
                    "Only documents with this reason.",
                    max_length=64,
                    pattern="^([A-Z][A-Z0-9_]*)?$",
                ),
                "product": replace(_PRODUCT, description="Only documents of this product."),
                "limit": Schema(
                    type=OpenAPIType.INTEGER,
                    minimum=1,
                    maximum=MAX_REPLAYED,
                    default=DEFAULT_REPLAYED,
                    description="At most so many.",
                ),
            },
            {"reason": "CRASHED", "limit": 50},
        )


def _json(
    description: str, properties: Mapping[str, Schema], example: Mapping[str, object]
) -> RequestBody:
    may_be_null: dict[str, Reference | Schema] = {
        name: _or_null(schema) for name, schema in properties.items()
    }
    schema = Schema(type=OpenAPIType.OBJECT, properties=may_be_null, additional_properties=False)
    media_type = OpenAPIMediaType(schema=schema, examples={"example": Example(value=example)})
    return RequestBody(
        required=False, description=description, content={"application/json": media_type}
    )


def _or_null(schema: Schema) -> Schema:
    """Null is as if the member was not there."""
    assert isinstance(schema.type, OpenAPIType)  # noqa: S101 - each has one type
    enum = None if schema.enum is None else [*schema.enum, None]
    return replace(schema, type=[schema.type, OpenAPIType.NULL], enum=enum)
