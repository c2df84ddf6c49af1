"""What operators ask: is it alive, is it well, what does it measure."""

from typing import Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from prometheus_client import REGISTRY
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from sheaf_gateway.ports.health import Serving
from sheaf_gateway.service.health import REQUIRED, HealthService, HealthStatus

_NO_STORE = {"cache-control": "no-store"}


class DependencyBody(msgspec.Struct):
    """How one dependency is."""

    status: Serving
    required: bool
    """Whether documents cannot be taken without it."""


class HealthBody(msgspec.Struct):
    """How the whole is: ok, degraded (documents are taken, something is down), unavailable."""

    status: HealthStatus
    dependencies: dict[str, DependencyBody]


@get("/livez", tags=["Operations"], summary="Is the process alive", security=[{}])
async def livez() -> dict[str, str]:
    """Says that the process answers, whatever its dependencies do."""
    return {"status": "ok"}


@get(
    "/ht",
    tags=["Operations"],
    summary="Health, dependency by dependency",
    security=[{}],
    responses={503: ResponseSpec(HealthBody, description="Documents cannot be taken.")},
)
async def health(health_service: NamedDependency[HealthService]) -> Response[HealthBody]:
    """200 while documents can be taken, 503 otherwise; at most a second old."""
    report = await health_service.report()
    body = HealthBody(
        report.status,
        {
            name: DependencyBody(serving, name in REQUIRED)
            for name, serving in report.dependencies.items()
        },
    )
    status_code = 503 if report.status is HealthStatus.UNAVAILABLE else 200
    return Response(body, status_code=status_code, headers=_NO_STORE)


@get("/metrics", include_in_schema=False)
async def metrics() -> Response[Any]:
    """Metrics in Prometheus' text form."""
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST, headers=_NO_STORE)
