"""Authenticates every request under /v1 before anything of its body is read."""

import math
from dataclasses import replace
from typing import Any, Final, cast

from litestar.enums import HttpMethod, ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from sheaf_common import context
from sheaf_common.errors import OverCapacity
from sheaf_gateway.domain.access import Scope as KeyScope
from sheaf_gateway.service.authentication import Authenticator, Entrance, require

REQUIRES: Final = "requires"
"""The handler option that names the scope a key must have."""
ADDED_HEADERS: Final = "added_headers"
"""In the state of the ASGI scope: headers of the answer, whichever it is."""
STILL_ALLOWED: Final = "still_allowed"
"""There as well: asks again whether the key allows this, for answers that go on for long."""


class Authentication(ASGIMiddleware):
    """Binds the key's owner to the request, for logs and for every further hop.

    Reads `authenticator` from the application's state: Litestar copies its middlewares.
    """

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """One request. Raises Unauthenticated, OverCapacity `RATE_LIMITED`, PermissionDenied."""
        authorization = api_key = None
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = value.decode("latin-1")
            elif name == b"x-api-key":
                api_key = value.decode("latin-1")
        authenticator: Authenticator = scope["litestar_app"].state.authenticator
        # Litestar's own handler of OPTIONS, which says a path's methods, requires no scope.
        is_call = scope["type"] != ScopeType.HTTP or scope["method"] != HttpMethod.OPTIONS
        required = KeyScope(scope["route_handler"].opt[REQUIRES]) if is_call else None

        async def still_allowed() -> None:
            entrance = await authenticator.authenticate(authorization, api_key)
            if required is not None:
                require(entrance.owner, required)

        entrance = await authenticator.authenticate(authorization, api_key)
        owner = entrance.owner
        scope["user"], scope["auth"] = owner.user_id, owner
        state = cast("dict[str, Any]", scope).setdefault("state", {})
        state[ADDED_HEADERS] = _rate_headers(entrance)
        state[STILL_ALLOWED] = still_allowed
        if not entrance.allowance.allowed:
            raise OverCapacity(
                "RATE_LIMITED",
                f"the API key allows {entrance.rate.quota} requests in {entrance.rate.window_s} s",
                retry_after_s=entrance.allowance.retry_after_s,
            )
        if required is not None:
            require(owner, required)
        request = context.current() or context.RequestContext(context.new_request_id())
        with context.bound(replace(request, user_id=owner.user_id)):
            await next_app(scope, receive, send)


def _rate_headers(entrance: Entrance) -> list[tuple[bytes, bytes]]:
    """See draft-ietf-httpapi-ratelimit-headers."""
    rate, left = entrance.rate, entrance.allowance
    policy = f'"default";q={rate.quota};w={rate.window_s}'
    state = f'"default";r={left.remaining};t={math.ceil(left.whole_in_s)}'
    return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", state.encode())]
