"""/v1/keys: the user's API keys."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import (
    Example,
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    RequestBody,
    Schema,
)
from litestar.params import FromPath, QueryParameter
from msgspec import Meta

from sheaf_common.ids import parse_id
from sheaf_gateway.api import openapi
from sheaf_gateway.api.authentication import REQUIRES
from sheaf_gateway.api.body import read_json
from sheaf_gateway.api.documents import DEFAULT_PAGE, MAX_PAGE, Cursor
from sheaf_gateway.api.requests import Whole, whole
from sheaf_gateway.api_keys import NAME_MAX_CHARACTERS, RATE_MAX_PER_S, KeyWish, RecordedKey
from sheaf_gateway.domain.access import KeyOwner, Scope
from sheaf_gateway.domain.checking import checked_time
from sheaf_gateway.service.keys import KeyService

_Limit = Annotated[int, QueryParameter(description="Keys a page.", ge=1, le=MAX_PAGE)]


class KeyBody(msgspec.Struct):
    """An API key, without the key itself, of which only a hash is kept."""

    id: str
    name: str
    prefix: str
    """Its first characters, to tell it from others."""
    scopes: list[str]
    created_at: datetime | None
    expires_at: datetime | None
    """Null if it does not end by itself."""
    revoked_at: datetime | None
    """Null unless it was revoked."""
    last_used_at: datetime | None
    """To the minute; null if it was never used."""
    rate_limit_per_s: int | None
    """Requests a second; null means the gateway's default."""


class NewKeyBody(KeyBody, kw_only=True):
    """A key that was made just now."""

    key: str
    """The key itself. It is shown here and never again."""


class KeyPageBody(msgspec.Struct):
    """A page of keys, the newest first, ended ones included."""

    keys: list[KeyBody]
    next_cursor: str | None
    """Send it as `cursor` to get the next page; null on the last."""


class CreateKeyBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A key to make."""

    name: Annotated[str, Meta(min_length=1, max_length=NAME_MAX_CHARACTERS)]
    scopes: Annotated[list[str], Meta(min_length=1, max_length=len(Scope))]
    expires_at: str | None = None
    rate_limit_per_s: Whole = None

    def wish(self) -> KeyWish:
        """What it asks for. Raises InvalidInput `FIELD_INVALID`, `BODY_INVALID`."""
        return KeyWish(
            self.name,
            tuple(self.scopes),
            checked_time(self.expires_at, "expires_at"),
            whole(self.rate_limit_per_s, "rate_limit_per_s", 1, RATE_MAX_PER_S),
        )


_KEY_EXAMPLE: Final = {
    "id": "019a2f6e-7c1b-7d5a-9a43-0c6f3f1b2e13",
    "name": "night import",
    "prefix": "sk_p3Xv9aQ",
    "scopes": ["documents:read", "documents:write"],
    "created_at": "2026-11-30T08:00:00Z",
    "expires_at": "2027-11-30T00:00:00Z",
    "revoked_at": None,
    "last_used_at": None,
    "rate_limit_per_s": 50,
}
_CREATED: Final = {
    **openapi.problems(400, 408, 413, 422),
    201: ResponseSpec(
        NewKeyBody,
        generate_examples=False,
        description="The key was made. `key` is shown here and never again.",
        examples=[
            Example(value={**_KEY_EXAMPLE, "key": "sk_p3Xv9aQ2mT7hUe1kWc5yRb8nZf4jLd6gSx0oVi3qAtM"})
        ],
    ),
}
_LISTED: Final = {
    **openapi.problems(400),
    200: ResponseSpec(
        KeyPageBody,
        generate_examples=False,
        description="A page of the user's keys.",
        examples=[Example(value={"keys": [_KEY_EXAMPLE], "next_cursor": None})],
    ),
}


@dataclass
class CreateKeyOperation(Operation):
    """Making a key, whose body is read past Litestar's models."""

    def __post_init__(self) -> None:
        """Describes the body."""
        properties = {
            "name": Schema(
                type=OpenAPIType.STRING,
                min_length=1,
                max_length=NAME_MAX_CHARACTERS,
                description="A name for people, of printable characters.",
            ),
            "scopes": Schema(
                type=OpenAPIType.ARRAY,
                items=Schema(type=OpenAPIType.STRING, enum=[scope.value for scope in Scope]),
                min_items=1,
                unique_items=True,
                description="What the key allows: nothing that the key of the request lacks.",
            ),
            "expires_at": Schema(
                one_of=[
                    Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.DATE_TIME),
                    Schema(type=OpenAPIType.NULL),
                ],
                description="When it ends, in the future; without it never.",
            ),
            "rate_limit_per_s": Schema(
                one_of=[
                    Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=RATE_MAX_PER_S),
                    Schema(type=OpenAPIType.NULL),
                ],
                description="Requests a second, at most as many as the key of the request has;"
                " without it as many.",
            ),
        }
        schema = Schema(
            type=OpenAPIType.OBJECT,
            properties=dict(properties),
            required=["name", "scopes"],
            additional_properties=False,
        )
        example = {
            name: _KEY_EXAMPLE[name]
            for name in ("name", "scopes", "expires_at", "rate_limit_per_s")
        }
        self.request_body = RequestBody(
            required=True,
            description="What the key is to be.",
            content={
                "application/json": OpenAPIMediaType(
                    schema=schema, examples={"example": Example(value=example)}
                )
            },
        )


class KeyController(Controller):
    """API keys of the user."""

    path = "/keys"
    tags = ("Keys",)
    opt = {REQUIRES: Scope.KEYS}  # noqa: RUF012 - Litestar reads it from the class

    @post(
        status_code=201,
        operation_class=CreateKeyOperation,
        responses=_CREATED,
        summary="Make an API key",
    )
    async def create(
        self, request: Request[Any, KeyOwner, Any], keys: NamedDependency[KeyService]
    ) -> Response[NewKeyBody]:
        """Makes a key for the same user. The key itself is in this answer and nowhere else.

        A key can give only scopes that it has, and no higher rate than its own.
        """
        body = await read_json(request.receive, CreateKeyBody)
        recorded, key = await keys.create(body.wish(), request.auth)
        answer = NewKeyBody(**msgspec.structs.asdict(_key_body(recorded)), key=key)
        return Response(answer, status_code=201, headers={"cache-control": "no-store"})

    @get(responses=_LISTED, summary="List API keys")
    async def list_keys(
        self,
        keys: NamedDependency[KeyService],
        limit: _Limit = DEFAULT_PAGE,
        cursor: Cursor = "",
    ) -> KeyPageBody:
        """The user's keys, the newest first, a page at a time, ended ones included."""
        page = await keys.page(limit=limit, cursor=cursor)
        return KeyPageBody([_key_body(key) for key in page.keys], page.next_cursor or None)

    @delete("/{key_id:str}", responses=openapi.problems(400, 404), summary="Revoke an API key")
    async def revoke(self, key_id: FromPath[str], keys: NamedDependency[KeyService]) -> None:
        """Revokes a key, also the one of the request. It may be repeated.

        After the answer no request with the key is let in, wherever it arrives. Keys that were
        made with it stay.
        """
        await keys.revoke(parse_id(key_id, "key_id"))


def _key_body(key: RecordedKey) -> KeyBody:
    return KeyBody(
        key.key_id,
        key.name,
        key.prefix,
        list(key.scopes),
        key.created_at,
        key.expires_at,
        key.revoked_at,
        key.last_used_at,
        key.rate_limit_per_s or None,
    )
