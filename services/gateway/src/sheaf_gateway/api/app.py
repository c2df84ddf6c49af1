"""The HTTP application: routes over use cases that the wiring has built."""

from dataclasses import dataclass
from importlib.metadata import version

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.types import ASGIApp

from sheaf_gateway.api import description, operations, published
from sheaf_gateway.api.asked import Asked
from sheaf_gateway.api.authentication import Authentication
from sheaf_gateway.api.batches import BatchController
from sheaf_gateway.api.contents import ContentController
from sheaf_gateway.api.control import ControlController, QuarantineController
from sheaf_gateway.api.documents import DocumentController
from sheaf_gateway.api.edge import Edge
from sheaf_gateway.api.kpis import KpiController
from sheaf_gateway.api.openapi import openapi_config
from sheaf_gateway.api.problems import exception_handlers
from sheaf_gateway.api.workflows import WorkflowController
from sheaf_gateway.service.authentication import Authenticator
from sheaf_gateway.service.control import ControlService
from sheaf_gateway.service.health import HealthService
from sheaf_gateway.service.intake import IntakeService
from sheaf_gateway.service.kpis import KpiService
from sheaf_gateway.service.reading import ReadingService
from sheaf_gateway.service.results import ResultReader
from sheaf_gateway.service.thumbnails import ThumbnailService


@dataclass(frozen=True, slots=True)
class Services:
    """What the controllers delegate to; each field is injected under its name."""

    authenticator: Authenticator
    intake: IntakeService
    reading: ReadingService
    results: ResultReader
    thumbnails: ThumbnailService
    control: ControlService
    health_service: HealthService
    kpis: KpiService


def create_app(services: Services) -> ASGIApp:
    """The application as an ASGI server runs it."""
    return Edge(create_routes(services))


def create_routes(services: Services) -> Litestar:
    """What is behind the edge. Making it takes half a second; its state has the services."""
    public = Router(
        "/v1",
        route_handlers=[
            DocumentController,
            ControlController,
            ContentController,
            BatchController,
            WorkflowController,
            QuarantineController,
            KpiController,
        ],
        middleware=[Authentication(), Asked()],
    )
    app = Litestar(
        route_handlers=[
            public,
            published.result_schema,
            operations.livez,
            operations.health,
            operations.metrics,
        ],
        dependencies={
            "intake": Provide(_intake, sync_to_thread=False),
            "reading": Provide(_reading, sync_to_thread=False),
            "results": Provide(_results, sync_to_thread=False),
            "thumbnails": Provide(_thumbnails, sync_to_thread=False),
            "control": Provide(_control, sync_to_thread=False),
            "health_service": Provide(_health_service, sync_to_thread=False),
            "kpis": Provide(_kpis, sync_to_thread=False),
        },
        state=state_of(services),
        exception_handlers=exception_handlers(),
        openapi_config=openapi_config(version("sheaf-gateway")),
        logging_config=None,
    )
    # Made now: it takes a third of a second, which no request shall wait.
    description.complete(app.openapi_schema)
    return app


def state_of(services: Services) -> State:
    """The services as handlers and middleware find them."""
    return State({"services": services, "authenticator": services.authenticator})


def _intake(state: State) -> IntakeService:
    return _services(state).intake


def _reading(state: State) -> ReadingService:
    return _services(state).reading


def _results(state: State) -> ResultReader:
    return _services(state).results


def _thumbnails(state: State) -> ThumbnailService:
    return _services(state).thumbnails


def _control(state: State) -> ControlService:
    return _services(state).control


def _health_service(state: State) -> HealthService:
    return _services(state).health_service


def _kpis(state: State) -> KpiService:
    return _services(state).kpis


def _services(state: State) -> Services:
    services: Services = state.services
    return services
