"""The gateway in process, over small fakes of its ports, and a client that speaks ASGI."""

import asyncio
import base64
from collections.abc import (
    Mapping,
    MutableMapping,
)
from dataclasses import dataclass
from typing import Any, Final

import httpx
from litestar import Litestar
from litestar.types import ASGIApp, Receive, Send
from litestar.types import Scope as AsgiScope
from pydantic import SecretStr

from sheaf_common.grpc.settings import GrpcSettings
from sheaf_common.lifecycle import Lifecycle
from sheaf_common.pools.redis import RedisSettings
from sheaf_common.process import ProcessSettings
from sheaf_common.settings import SettingsGroup
from sheaf_common.telemetry.exporting import TracingSettings
from sheaf_gateway.admission_settings import AdmissionSettings
from sheaf_gateway.api.app import Services, create_routes, state_of
from sheaf_gateway.api.edge import Edge
from sheaf_gateway.domain.access import KeyOwner, Scope
from sheaf_gateway.service.event_hub import EventHub
from sheaf_gateway.service.finishing import FinishingWork
from sheaf_gateway.settings import (
    GatewaySettings,
    HttpSettings,
    LimitSettings,
    PasswordSettings,
    PeerSettings,
    ResultSettings,
    UploadSettings,
)
from sheaf_gateway.wiring import build_services
from support.gateway_event_fakes import FakeEventLog
from support.gateway_fakes.common import KEY, READ_ONLY_KEY, USER
from support.gateway_fakes.records import FakeRecords
from support.gateway_fakes.services import FakeMeasurements, FakeProbe, FakeQueue, FakeRenderer
from support.gateway_fakes.store import FakeStore
from support.key_fakes import FakeKeys, FakeSharedKeys

PDF: Final = b"%PDF-1.7 a small document"
BOUNDARY: Final = "b0undary"
PASSWORD_KEYS: Final = base64.b64encode(bytes(range(32))).decode()
MULTIPART: Final = f"multipart/form-data; boundary={BOUNDARY}"


@dataclass
class Gateway:
    """A gateway over fakes."""

    store: FakeStore
    records: FakeRecords
    renderer: FakeRenderer
    probe: FakeProbe
    measurements: FakeMeasurements
    events: FakeEventLog
    hub: EventHub
    queue: FakeQueue
    lifecycle: Lifecycle
    finishing: FinishingWork
    services: Services
    app: ASGIApp
    shared: FakeSharedKeys
    keys: FakeKeys

    def http(self, key: str | None = KEY) -> httpx.AsyncClient:
        """A client; sends `key` unless it is None."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)  # type: ignore[arg-type]
        return httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers)

    def call(self, method: str, path: str, **headers: str) -> "AsgiCall":
        """One request whose body and connection the test controls."""
        return AsgiCall(self.app, method, path, {"authorization": f"Bearer {KEY}", **headers})

    @property
    def nothing_left(self) -> bool:
        """Whether there is no object, no row, and no memory held."""
        return (
            not self.store.objects
            and not self.records.rows
            and not self.services.intake._budget.used_bytes
            and not self.services.intake._admission._in_flight
        )


def build_gateway(**changes: Any) -> Gateway:
    """A gateway whose upload settings are the defaults with `changes`.

    It takes passwords unless `password_keys` is None.
    """
    store, records, renderer, probe = FakeStore(), FakeRecords(), FakeRenderer(), FakeProbe()
    password_keys: str | None = changes.pop("password_keys", PASSWORD_KEYS)
    measurements, events, queue = FakeMeasurements(), FakeEventLog(), FakeQueue()
    hub = EventHub(events, linger_s=0)
    records.add_key(KEY, KeyOwner(USER, frozenset(scope.value for scope in Scope)))
    records.add_key(READ_ONLY_KEY, KeyOwner(USER, frozenset({Scope.READ.value})))
    lifecycle, finishing = Lifecycle(), FinishingWork()
    shared, keys = FakeSharedKeys(), FakeKeys()

    def own(group: type[SettingsGroup]) -> dict[str, Any]:
        """Those of the changes that are of this group."""
        return {name: changes.pop(name) for name in group.model_fields if name in changes}

    settings = GatewaySettings(
        process=ProcessSettings(),
        tracing=TracingSettings.model_construct(endpoint=None),
        http=HttpSettings().model_copy(update=own(HttpSettings)),
        limits=LimitSettings().model_copy(update=own(LimitSettings)),
        redis=RedisSettings.model_construct(),
        admission=AdmissionSettings().model_copy(update=own(AdmissionSettings)),
        peers=PeerSettings(),
        grpc=GrpcSettings.model_construct(),
        uploads=UploadSettings().model_copy(update=own(UploadSettings)),
        results=ResultSettings().model_copy(update=own(ResultSettings)),
        passwords=PasswordSettings().model_copy(
            update={"keys": None if password_keys is None else SecretStr(password_keys)}
        ),
    )
    services = build_services(
        settings,
        store=store,
        records=records,
        idempotency=records.idempotency,
        events=events,
        hub=hub,
        directory=records,
        shared=shared,
        keys=keys,
        renderer=renderer,
        probe=probe,
        measurements=measurements,
        queue=queue,
        recent=measurements.own,
        finishing=finishing,
        lifecycle=lifecycle,
    )
    app = _app_over(services)
    return Gateway(
        store,
        records,
        renderer,
        probe,
        measurements,
        events,
        hub,
        queue,
        lifecycle,
        finishing,
        services,
        app,
        shared,
        keys,
    )


_routes: list[Litestar] = []
"""Made once for all tests: that takes half a second."""


def _app_over(services: Services) -> ASGIApp:
    """The application over these services, whichever others it has served before."""
    if not _routes:
        _routes.append(create_routes(services))
    (routes,) = _routes

    async def app(scope: AsgiScope, receive: Receive, send: Send) -> None:
        routes.state = state_of(services)
        await routes(scope, receive, send)

    return Edge(app, services.places)


def form(*parts: tuple[str, str | None, bytes], boundary: str = BOUNDARY) -> bytes:
    """A multipart body of (name, filename or None, content)."""
    lines = []
    for name, filename, content in parts:
        named = "" if filename is None else f'; filename="{filename}"'
        lines.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode()
            + content
            + b"\r\n"
        )
    return b"".join(lines) + f"--{boundary}--\r\n".encode()


class AsgiCall:
    """A request under way: `feed` sends body, `leave` closes the connection."""

    def __init__(self, app: ASGIApp, method: str, path: str, headers: Mapping[str, str]) -> None:
        path, _, query = path.partition("?")
        raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": raw,
            "client": ("127.0.0.1", 1),
            "server": ("gateway", 80),
            "state": {},
        }
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: list[MutableMapping[str, Any]] = []
        self.received = 0
        self.task = asyncio.ensure_future(app(scope, self._receive, self._send))  # type: ignore[arg-type]

    async def _receive(self) -> Any:
        if self._incoming.empty() and self._gone:
            return {"type": "http.disconnect"}
        message = await self._incoming.get()
        self.received += 1
        return message

    async def _send(self, message: Any) -> None:
        self.sent.append(message)

    _gone = False

    def feed(self, body: bytes, *, more: bool = True) -> None:
        """Makes the next bytes of the body arrive."""
        self._incoming.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def leave(self) -> None:
        """Closes the connection."""
        self._gone = True
        self._incoming.put_nowait({"type": "http.disconnect"})

    @property
    def status(self) -> int:
        """The status that was sent; 0 before."""
        return int(self.sent[0]["status"]) if self.sent else 0

    @property
    def headers(self) -> dict[str, str]:
        """The headers that were sent."""
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        """The body that was sent."""
        return b"".join(message.get("body", b"") for message in self.sent[1:])
