"""/v1/ops/kpis: what operators are promised, and how it is kept."""

from typing import Annotated

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from sheaf_gateway.api import openapi
from sheaf_gateway.api.authentication import REQUIRES
from sheaf_gateway.api.kpi_schemas import KpisBody, kpis_body
from sheaf_gateway.domain.access import Scope
from sheaf_gateway.service.kpis import DEFAULT_WINDOW_S, MAX_WINDOW_S, MIN_WINDOW_S, KpiService

_NO_STORE = {"cache-control": "no-store"}


class KpiController(Controller):
    """The targets, live."""

    path = "/ops/kpis"
    tags = ("Operations",)

    @get(
        opt={REQUIRES: Scope.OPS},
        responses=openapi.KPI_RESPONSES,
        summary="The targets, with live values and verdicts",
    )
    async def read(
        self,
        kpis: NamedDependency[KpiService],
        window: Annotated[
            int,
            QueryParameter(
                description="How many seconds to look back.", ge=MIN_WINDOW_S, le=MAX_WINDOW_S
            ),
        ] = DEFAULT_WINDOW_S,
    ) -> Response[KpisBody]:
        """Every target with its value over the last seconds, its threshold, and the verdict.

        At most a second old. Of a service with several replicas one is asked; over a fleet look
        at Prometheus. `error_rate` counts 5xx and 429 among all requests but operators' own.
        """
        return Response(kpis_body(await kpis.report(window)), headers=_NO_STORE)
