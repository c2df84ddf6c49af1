"""What may be asked of a path at all: its methods, and the parameters of each."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl

from litestar import Litestar
from litestar.enums import HttpMethod, ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from sheaf_common.errors import InvalidInput
from sheaf_gateway.api.description import query_parameters

Known = Mapping[tuple[str, str], frozenset[str]]
"""The query parameters by path template and method."""

_SHOWN_CHARACTERS: Final = 64


class Asked(ASGIMiddleware):
    """Answers OPTIONS (RFC 9110, section 9.3.7), and refuses a parameter that a call has not.

    A mistyped filter would otherwise filter nothing. What there is, the application's description
    says. Litestar's own answer to OPTIONS has one controller's methods only.
    """

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """One request. Raises InvalidInput `PARAMETER_UNKNOWN`."""
        if scope["type"] == ScopeType.HTTP:
            known = _known(scope["litestar_app"])
            path = scope["path_template"]
            if scope["method"] == HttpMethod.OPTIONS:
                await _say_methods(path, known, send)
                return
            if scope["query_string"]:
                _check(scope["query_string"], known.get((path, scope["method"]), frozenset()))
        await next_app(scope, receive, send)


@lru_cache(maxsize=1)
def _known(app: Litestar) -> Known:
    return query_parameters(app.openapi_schema)


def _check(query: bytes, known: frozenset[str]) -> None:
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    for name in dict(pairs):
        if name not in known:
            shown = name[:_SHOWN_CHARACTERS]
            names = ", ".join(sorted(known)) or "none"
            raise InvalidInput(
                "PARAMETER_UNKNOWN",
                f"this call has no parameter {shown!r}, only: {names}",
                evidence={"parameter": shown, "known": names},
            )


async def _say_methods(path: str, known: Known, send: Send) -> None:
    methods = {method for template, method in known if template == path}
    allowed = ", ".join(sorted({*methods, "OPTIONS"}))
    headers = [(b"allow", allowed.encode()), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
