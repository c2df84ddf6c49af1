"""Authenticates every request under /v1 before anything of its body is read."""

from dataclasses import replace
from typing import Final

from litestar.enums import HttpMethod, ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from sheaf_common import context
from sheaf_gateway.domain import Scope as KeyScope
from sheaf_gateway.service.authentication import Authenticator, require

REQUIRES: Final = "requires"
"""The handler option that names the scope a key must have."""


class Authentication(ASGIMiddleware):
    """Binds the key's owner to the request, for logs and for every further hop.

    Reads `authenticator` from the application's state: Litestar copies its middlewares.
    """

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """One request. Raises Unauthenticated, PermissionDenied."""
        authorization = api_key = None
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = value.decode("latin-1")
            elif name == b"x-api-key":
                api_key = value.decode("latin-1")
        authenticator: Authenticator = scope["litestar_app"].state.authenticator
        owner = await authenticator.authenticate(authorization, api_key)
        # Litestar's own handler of OPTIONS, which says a path's methods, requires no scope.
        if scope["type"] != ScopeType.HTTP or scope["method"] != HttpMethod.OPTIONS:
            require(owner, KeyScope(scope["route_handler"].opt[REQUIRES]))
        scope["user"] = owner.user_id
        request = context.current() or context.RequestContext(context.new_request_id())
        with context.bound(replace(request, user_id=owner.user_id)):
            await next_app(scope, receive, send)
