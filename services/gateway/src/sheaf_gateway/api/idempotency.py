"""The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header-07)."""

import re
from collections.abc import Sequence
from typing import Final

from litestar.openapi.spec import Example, OpenAPIHeader, OpenAPIType, Parameter, Schema

from sheaf_common.errors import InvalidInput

HEADER: Final = "idempotency-key"
REPLAYED: Final = "Idempotency-Replayed"
MAX_CHARACTERS: Final = 255

# A string of RFC 9651, section 3.3.3; or, as many clients send it, its content alone.
_QUOTED: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_BARE: Final = re.compile(r"[!#-+\--:<-\[\]-~]+")
_ESCAPED: Final = re.compile(r'\\(["\\])')
_KEY: Final = re.compile(rf"[!-~](?:[ -~]{{0,{MAX_CHARACTERS - 2}}}[!-~])?")

_EXAMPLE: Final = '"8e03978e-40d5-43e8-bc93-6894a57f9324"'

PARAMETER: Final = Parameter(
    name="Idempotency-Key",
    param_in="header",
    required=False,
    description="Makes it safe to send the upload again: a string of your own for this upload,"
    " best a new UUID, in quotes or without. For 24 hours the same upload under it is answered as"
    " it was the first time, with `Idempotency-Replayed: true`; while it is worked on 409; other"
    " files or fields under it 422. An upload that created nothing leaves its key unused.",
    schema=Schema(
        type=OpenAPIType.STRING,
        min_length=1,
        max_length=MAX_CHARACTERS + 2,
        pattern=r'^("[!#-\[\]-~]{1,255}"|[!#-+\--:<-\[\]-~]{1,255})$',
    ),
    examples={"uuid": Example(value=_EXAMPLE)},
)
"""How the header is described; its schema leaves out escapes and spaces, which are taken too."""

REPLAYED_DESCRIPTION: Final = OpenAPIHeader(
    description="Present if this is the answer to an earlier request with the same key.",
    schema=Schema(type=OpenAPIType.STRING, enum=["true"]),
)


def idempotency_key(values: Sequence[str]) -> str | None:
    """The key that a request's headers name; None if there is no such header.

    Raises:
        InvalidInput: `IDEMPOTENCY_KEY_INVALID`.
    """
    if not values:
        return None
    key = _content(values[0].strip(" \t")) if len(values) == 1 else None
    if key is None or not _KEY.fullmatch(key):
        raise InvalidInput(
            "IDEMPOTENCY_KEY_INVALID",
            f"Idempotency-Key must be one string of 1 to {MAX_CHARACTERS} printable ASCII"
            " characters, in quotes or without, no space at its beginning or end",
            evidence={"header": "Idempotency-Key"},
        )
    return key


def _content(value: str) -> str | None:
    """What a string holds; None if it is none."""
    if (quoted := _QUOTED.fullmatch(value)) is not None:
        return _ESCAPED.sub(r"\1", quoted.group(1))
    return value if _BARE.fullmatch(value) else None
