"""The composition root: what the metadata service is made of."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from sheaf_common.grpc.health import publish_dependency_health
from sheaf_common.grpc.server import GrpcServer, grpc_server
from sheaf_common.lifecycle import Lifecycle
from sheaf_common.pools.database import database_pool
from sheaf_common.pools.redis import redis_client
from sheaf_common.pools.redis_gate import RedisGate
from sheaf_common.telemetry.metrics import metrics_endpoint
from sheaf_common.telemetry.sampling import Sampler
from sheaf_metadata.adapters.metrics import MetadataCollector, PrometheusObserver
from sheaf_metadata.adapters.mysql.api_keys import MysqlApiKeys
from sheaf_metadata.adapters.mysql.claims import MysqlClaims
from sheaf_metadata.adapters.mysql.control import MysqlControls
from sheaf_metadata.adapters.mysql.database import LOCK_WAIT_S, Database
from sheaf_metadata.adapters.mysql.deletion import MysqlDeletions
from sheaf_metadata.adapters.mysql.idempotency import MysqlIdempotencyKeys
from sheaf_metadata.adapters.mysql.leases import MysqlLeases
from sheaf_metadata.adapters.mysql.lines import MysqlLines
from sheaf_metadata.adapters.mysql.migrate import await_schema, migrate
from sheaf_metadata.adapters.mysql.outcomes import MysqlOutcomes
from sheaf_metadata.adapters.mysql.pipelines import MysqlPipelines
from sheaf_metadata.adapters.mysql.positions import MysqlEvents
from sheaf_metadata.adapters.mysql.reading import MysqlReads
from sheaf_metadata.adapters.mysql.registration import MysqlRegistrations
from sheaf_metadata.adapters.mysql.release import MysqlReleases
from sheaf_metadata.adapters.mysql.reusing import MysqlReusableResults
from sheaf_metadata.adapters.mysql.sweeping import MysqlHousekeeping
from sheaf_metadata.adapters.redis.batches import RedisBatchCache
from sheaf_metadata.adapters.redis.cache import RedisDocumentCache
from sheaf_metadata.adapters.redis.fairness import RedisFairness
from sheaf_metadata.adapters.redis.hints import RedisAnnouncer
from sheaf_metadata.adapters.redis.key_marks import RedisKeyMarks
from sheaf_metadata.api import idempotency
from sheaf_metadata.api.servicer import MetadataServicer
from sheaf_metadata.domain.api_keys import ApiKey, check_key
from sheaf_metadata.service.api_keys import KeyRing
from sheaf_metadata.service.backlog import WatchBacklog
from sheaf_metadata.service.batches import ReadBatches
from sheaf_metadata.service.claims import ClaimDocuments, KeepLeases
from sheaf_metadata.service.coalescing import Coalescing
from sheaf_metadata.service.control import ControlDocuments
from sheaf_metadata.service.deletion import DeleteDocuments
from sheaf_metadata.service.event_tail import EventTail
from sheaf_metadata.service.following import FollowEvents
from sheaf_metadata.service.idempotency import KeepIdempotency
from sheaf_metadata.service.key_use import KeyUse
from sheaf_metadata.service.monotonic import MonotonicCache, ShownVersions
from sheaf_metadata.service.open_check import OpenCheck
from sheaf_metadata.service.outcomes import EndClaims
from sheaf_metadata.service.reading import ReadDocuments
from sheaf_metadata.service.registration import RegisterBatch
from sheaf_metadata.service.sequencing import SequencedAnnouncer, Sequencer
from sheaf_metadata.service.sweeping import KeepHouse
from sheaf_metadata.service.waiting import Waiters
from sheaf_metadata.settings import MetadataSettings, RecordSettings

_BACKLOG_PERIOD_S: Final = 1.0
_BACKLOG_LIMIT_S: Final = 3.0
"""It takes a millisecond; a machine that is overloaded has time to answer all the same."""
_PRUNE_PERIOD_S: Final = 60.0

_TAIL_EVENTS: Final = 10_000
"""What is kept in memory for those who follow: some 10 MB at twice as many."""


@asynccontextmanager
async def metadata_service(
    settings: MetadataSettings, lifecycle: Lifecycle
) -> AsyncIterator[GrpcServer]:
    """The service, serving for as long as the block runs. Waits for a late database."""
    server, record = settings.server, settings.record
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        await enter(metrics_endpoint(server.host, server.metrics_port))
        prepare = migrate if record.migrate_on_start else await_schema
        await prepare(settings.database, timeout_s=record.start_timeout_s)
        pool = await enter(database_pool(settings.database, lock_wait_s=LOCK_WAIT_S))
        database = Database(pool, transaction_s=record.transaction_timeout_s)
        client = await enter(redis_client(settings.redis))
        gate = RedisGate(client, budget_s=record.redis_budget_ms / 1000)
        waiters = Waiters(record.max_waiters)
        documents = RedisDocumentCache(
            gate, terminal_s=record.cache_terminal_s, active_s=record.cache_active_s
        )
        cache = MonotonicCache(documents, ShownVersions(record.shown_versions))
        hints = RedisAnnouncer(gate, waiters)
        following = _following(database, waiters)
        announcer = SequencedAnnouncer(hints, following.sequencer)
        for name, work in (
            ("redis gate", gate.keep()),
            ("hints out", hints.publish()),
            ("hints in", hints.listen()),
            ("sequencer", following.sequencer.run()),
        ):
            await enter(lifecycle.background(name, work))
        house = MysqlHousekeeping(database)
        watch = WatchBacklog(house)
        stack.push_async_callback(watch.close)
        backlog = Sampler(
            "backlog", watch.look, period_s=_BACKLOG_PERIOD_S, limit_s=_BACKLOG_LIMIT_S
        )
        await enter(lifecycle.background("backlog", backlog.run()))
        stack.enter_context(MetadataCollector(lambda: waiters.count, lambda: backlog.latest))
        servicer = _servicer(
            settings, database, gate, waiters, cache, announcer, house, following, watch
        )
        pruning = servicer.idempotency.prune(_PRUNE_PERIOD_S)
        await enter(lifecycle.background("expired idempotency keys", pruning))
        await enter(lifecycle.background("last use of API keys", servicer.keys.use.run()))
        listening = await enter(
            grpc_server(server.host, server.port, settings.grpc, servicer.register)
        )
        probes = {"mysql": database.ping, "redis": gate.ping}
        await enter(
            lifecycle.background(
                "dependency health", publish_dependency_health(listening.health, probes)
            )
        )
        # First at the stop: those who wait are answered at once, so that draining is short.
        stack.callback(waiters.close)
        yield listening


def _servicer(
    settings: MetadataSettings,
    database: Database,
    gate: RedisGate,
    waiters: Waiters,
    cache: MonotonicCache,
    announcer: SequencedAnnouncer,
    house: MysqlHousekeeping,
    following: FollowEvents,
    backlog: WatchBacklog,
) -> MetadataServicer:
    record = settings.record
    observer = PrometheusObserver()
    fairness = RedisFairness(gate, MysqlLines(database))
    reads = MysqlReads(database)
    pipelines = MysqlPipelines(database)
    batches = RedisBatchCache(gate, life_s=record.cache_terminal_s)
    # What a single read may take: the wait for a connection, and the statement.
    limit_s = settings.database.pool_timeout_s + settings.database.statement_timeout_s
    coalescing = Coalescing(observer, limit_s=limit_s)
    recheck_s = record.wait_recheck_ms / 1000
    return MetadataServicer(
        register_batch=RegisterBatch(
            MysqlRegistrations(database, idempotency.registered),
            fairness,
            announcer,
            observer,
            MysqlReusableResults(database, pipelines),
        ),
        idempotency=KeepIdempotency(
            MysqlIdempotencyKeys(database, life_s=record.idempotency_ttl_h * 3600)
        ),
        reading=ReadDocuments(
            reads, cache, cache.shown, coalescing, waiters, observer, OpenCheck(reads), recheck_s
        ),
        batches=ReadBatches(reads, batches, cache.shown, coalescing, waiters, observer, recheck_s),
        claim=ClaimDocuments(
            MysqlClaims(database), waiters, cache, observer, record.claim_poll_ms / 1000, pipelines
        ),
        leases=KeepLeases(MysqlLeases(database), cache),
        ending=EndClaims(
            MysqlOutcomes(database), MysqlReleases(database), fairness, cache, announcer, observer
        ),
        control=ControlDocuments(
            MysqlControls(database), fairness, cache, batches, announcer, observer
        ),
        deleting=DeleteDocuments(
            MysqlDeletions(database, again_s=record.deletion_again_s), cache, batches, announcer
        ),
        house=KeepHouse(house),
        backlog=backlog,
        keys=_key_ring(record, database, gate),
        following=following,
    )


def _following(database: Database, waiters: Waiters) -> FollowEvents:
    log, tail = MysqlEvents(database), EventTail(_TAIL_EVENTS)
    sequencer = Sequencer(log, log, tail, waiters, PrometheusObserver())
    return FollowEvents(log, log, MysqlReads(database), tail, sequencer, waiters)


async def record_key(settings: MetadataSettings, key: ApiKey) -> None:
    """Records an API key where no service runs: in the database alone.

    Raises:
        SheafError: `FIELD_INVALID`, or as `ApiKeys`.
    """
    check_key(key)
    async with database_pool(settings.database, lock_wait_s=LOCK_WAIT_S) as pool:
        database = Database(pool, transaction_s=settings.record.transaction_timeout_s)
        await MysqlApiKeys(database).create(key)


def _key_ring(record: RecordSettings, database: Database, gate: RedisGate) -> KeyRing:
    keys = MysqlApiKeys(database)
    use = KeyUse(keys, limit=record.api_key_uses)
    return KeyRing(keys, RedisKeyMarks(gate), use, record.api_key_cache_s)
