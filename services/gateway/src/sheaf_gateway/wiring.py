"""The one place where everything is put together."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from sheaf_common.grpc.channel import grpc_peer
from sheaf_common.lifecycle import Lifecycle
from sheaf_common.pools.redis import redis_client
from sheaf_common.pools.redis_gate import RedisGate
from sheaf_common.telemetry.measured import Recent
from sheaf_common.telemetry.recent import RecentPast, noting
from sheaf_common.telemetry.sampling import Sampler
from sheaf_gateway.adapters.backlog import GrpcIntakeQueue
from sheaf_gateway.adapters.events import GrpcEventLog
from sheaf_gateway.adapters.health import GrpcHealthProbe
from sheaf_gateway.adapters.idempotency import GrpcIdempotencyKeys
from sheaf_gateway.adapters.keys import GrpcKeys
from sheaf_gateway.adapters.measurements import GrpcMeasurements
from sheaf_gateway.adapters.metadata import GrpcRecords
from sheaf_gateway.adapters.orchestrator import GrpcPageRenderer
from sheaf_gateway.adapters.redis_limits import RedisKeys
from sheaf_gateway.adapters.storage import GrpcObjectStore
from sheaf_gateway.api.app import Services, create_app
from sheaf_gateway.api.event_stream import StreamTimes
from sheaf_gateway.api.server import http_server
from sheaf_gateway.ports.api_keys import KeyDirectory, Keys, SharedKeys
from sheaf_gateway.ports.events import EventLog
from sheaf_gateway.ports.health import HealthProbe
from sheaf_gateway.ports.idempotency import IdempotencyKeys
from sheaf_gateway.ports.measurements import IntakeQueue, Measurements
from sheaf_gateway.ports.objects import ObjectStore
from sheaf_gateway.ports.records import Records
from sheaf_gateway.ports.rendering import PageRenderer
from sheaf_gateway.rates import Rate
from sheaf_gateway.service.admission import Admission, ByteBudget
from sheaf_gateway.service.authentication import Authenticator, AuthSettings
from sheaf_gateway.service.backlog import LOOK_S, LOOK_TIMEOUT_S, BacklogLimit
from sheaf_gateway.service.control import ControlService
from sheaf_gateway.service.copying import ResultCopier
from sheaf_gateway.service.deletion import DeletionService
from sheaf_gateway.service.event_hub import EventHub
from sheaf_gateway.service.finishing import FinishingWork, finishing_work
from sheaf_gateway.service.following import FollowService
from sheaf_gateway.service.health import HealthService
from sheaf_gateway.service.intake import IntakeService
from sheaf_gateway.service.keyholding import KeyHolding
from sheaf_gateway.service.keys import KeyService
from sheaf_gateway.service.kpis import KpiService
from sheaf_gateway.service.passwords import PasswordSealer
from sheaf_gateway.service.places import RequestPlaces
from sheaf_gateway.service.reading import ReadingService
from sheaf_gateway.service.results import ResultReader
from sheaf_gateway.service.thumbnails import ThumbnailService
from sheaf_gateway.service.waiting import LongPolls
from sheaf_gateway.settings import GatewaySettings


@asynccontextmanager
async def gateway(settings: GatewaySettings, lifecycle: Lifecycle) -> AsyncIterator[int]:
    """The running service; yields its HTTP port. Leaving drains, then closes the channels."""
    peers, grpc = settings.peers, settings.grpc
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(grpc_peer("storage", peers.storage_address, grpc))
        metadata = await stack.enter_async_context(
            grpc_peer("metadata", peers.metadata_address, grpc)
        )
        orchestrator = await stack.enter_async_context(
            grpc_peer("orchestrator", peers.orchestrator_address, grpc)
        )
        client = await stack.enter_async_context(redis_client(settings.redis))
        gate = RedisGate(client, budget_s=settings.limits.redis_budget_ms / 1000)
        await stack.enter_async_context(lifecycle.background("redis gate", gate.keep()))
        finishing = await stack.enter_async_context(finishing_work())
        past = await stack.enter_async_context(noting(RecentPast()))
        records = GrpcRecords(metadata, peers.call_timeout_s)
        events = GrpcEventLog(metadata, peers.call_timeout_s)
        hub = EventHub(events)
        await stack.enter_async_context(lifecycle.background("event hub", hub.run()))
        services = build_services(
            settings,
            store=GrpcObjectStore(storage, grpc.max_call_s),
            records=records,
            idempotency=GrpcIdempotencyKeys(metadata, peers.call_timeout_s),
            events=events,
            hub=hub,
            directory=records,
            shared=RedisKeys(gate),
            keys=GrpcKeys(metadata, peers.call_timeout_s),
            renderer=GrpcPageRenderer(orchestrator, peers.thumbnail_timeout_s),
            probe=GrpcHealthProbe(storage, metadata, orchestrator),
            measurements=GrpcMeasurements(storage, metadata, orchestrator),
            queue=GrpcIntakeQueue(metadata),
            recent=past.over,
            finishing=finishing,
            lifecycle=lifecycle,
        )
        stack.push_async_callback(services.health_service.close)
        stack.push_async_callback(services.kpis.close)
        looks = Sampler(
            "intake queue", services.backlog.look, period_s=LOOK_S, limit_s=LOOK_TIMEOUT_S
        )
        await stack.enter_async_context(lifecycle.background("intake queue", looks.run()))
        port = await stack.enter_async_context(
            http_server(create_app(services), settings.http, settings.admission, lifecycle)
        )
        # First at the stop: streams end at once, so that draining is short.
        stack.callback(hub.close)
        yield port


def build_services(
    settings: GatewaySettings,
    *,
    store: ObjectStore,
    records: Records,
    idempotency: IdempotencyKeys,
    events: EventLog,
    hub: EventHub,
    directory: KeyDirectory,
    shared: SharedKeys,
    keys: Keys,
    renderer: PageRenderer,
    probe: HealthProbe,
    measurements: Measurements,
    queue: IntakeQueue,
    recent: Callable[[float], Recent],
    finishing: FinishingWork,
    lifecycle: Lifecycle,
) -> Services:
    """The use cases over the given ports."""
    health = HealthService(probe)
    budget = ByteBudget(settings.uploads.buffer_bytes)
    backlog = BacklogLimit(queue, settings.admission.limits_s())
    results = ResultReader(settings.results)
    sealer = PasswordSealer(settings.passwords.sealing_keys())
    authenticator = Authenticator(directory, shared, _auth_settings(settings))
    return Services(
        authenticator=authenticator,
        intake=IntakeService(
            store,
            records,
            admission=Admission(settings.uploads.max_uploads, budget, health, backlog),
            budget=budget,
            finishing=finishing,
            limits=settings.uploads,
            sealer=sealer,
            holding=KeyHolding(
                idempotency,
                finishing,
                lease_s=settings.uploads.idempotency_lease_s,
                secret_hash=sealer.hasher,
            ),
            copier=ResultCopier(store, settings.results),
        ),
        reading=ReadingService(
            records, store, LongPolls(settings.http.max_waits, lifecycle.wait), results
        ),
        results=results,
        thumbnails=ThumbnailService(records, store, renderer),
        control=ControlService(records, sealer),
        deletion=DeletionService(records, store),
        health_service=health,
        kpis=KpiService(recent, measurements),
        following=FollowService(
            events, records, hub, settings.http.max_streams, settings.http.max_user_streams
        ),
        stream_times=StreamTimes(settings.http.stream_keep_alive_s, settings.http.stream_max_s),
        keys=KeyService(keys, authenticator, settings.limits.rate_per_s),
        places=RequestPlaces(settings.admission.max_requests),
        backlog=backlog,
    )


def _auth_settings(settings: GatewaySettings) -> AuthSettings:
    limits = settings.limits
    return AuthSettings(
        settings.http.key_cache_s,
        limits.rate_per_s,
        limits.window_s,
        Rate.of(limits.unknown_per_s, limits.window_s),
    )
