"""The HTTP application: routes over use cases that the wiring has built."""

from dataclasses import dataclass
from importlib.metadata import version

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.types import ASGIApp

from sheaf_gateway.api import description, openapi, operations, published
from sheaf_gateway.api.asked import Asked
from sheaf_gateway.api.authentication import Authentication
from sheaf_gateway.api.batches import BatchController
from sheaf_gateway.api.contents import ContentController
from sheaf_gateway.api.control import ControlController, QuarantineController
from sheaf_gateway.api.deletion import DeletionController
from sheaf_gateway.api.documents import DocumentController
from sheaf_gateway.api.edge import Edge
from sheaf_gateway.api.event_stream import StreamTimes
from sheaf_gateway.api.event_streams import EventController
from sheaf_gateway.api.keys import KeyController
from sheaf_gateway.api.kpis import KpiController
from sheaf_gateway.api.problems import exception_handlers
from sheaf_gateway.api.workflows import WorkflowController
from sheaf_gateway.service.authentication import Authenticator
from sheaf_gateway.service.backlog import BacklogLimit
from sheaf_gateway.service.control import ControlService
from sheaf_gateway.service.deletion import DeletionService
from sheaf_gateway.service.following import FollowService
from sheaf_gateway.service.health import HealthService
from sheaf_gateway.service.intake import IntakeService
from sheaf_gateway.service.keys import KeyService
from sheaf_gateway.service.kpis import KpiService
from sheaf_gateway.service.places import RequestPlaces
from sheaf_gateway.service.reading import ReadingService
from sheaf_gateway.service.results import ResultReader
from sheaf_gateway.service.thumbnails import ThumbnailService


@dataclass(frozen=True, slots=True)
class Services:
    """What the controllers delegate to, each injected under its name; then what bounds them."""

    authenticator: Authenticator
    intake: IntakeService
    reading: ReadingService
    results: ResultReader
    thumbnails: ThumbnailService
    control: ControlService
    deletion: DeletionService
    health_service: HealthService
    kpis: KpiService
    following: FollowService
    stream_times: StreamTimes
    keys: KeyService
    places: RequestPlaces
    backlog: BacklogLimit


def create_app(services: Services) -> ASGIApp:
    """The application as an ASGI server runs it."""
    return Edge(create_routes(services), services.places)


def create_routes(services: Services) -> Litestar:
    """What is behind the edge. Making it takes half a second; its state has the services."""
    public = Router(
        "/v1",
        route_handlers=[
            DocumentController,
            ControlController,
            DeletionController,
            ContentController,
            BatchController,
            WorkflowController,
            QuarantineController,
            KpiController,
            EventController,
            KeyController,
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
            "deletion": Provide(_deletion, sync_to_thread=False),
            "health_service": Provide(_health_service, sync_to_thread=False),
            "kpis": Provide(_kpis, sync_to_thread=False),
            "following": Provide(_following, sync_to_thread=False),
            "stream_times": Provide(_stream_times, sync_to_thread=False),
            "keys": Provide(_keys, sync_to_thread=False),
        },
        state=state_of(services),
        exception_handlers=exception_handlers(),
        openapi_config=openapi.openapi_config(version("sheaf-gateway")),
        logging_config=None,
    )
    # Made now: it takes a third of a second, which no request shall wait.
    openapi.describe_rates(app.openapi_schema)
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


def _deletion(state: State) -> DeletionService:
    return _services(state).deletion


def _health_service(state: State) -> HealthService:
    return _services(state).health_service


def _kpis(state: State) -> KpiService:
    return _services(state).kpis


def _following(state: State) -> FollowService:
    return _services(state).following


def _stream_times(state: State) -> StreamTimes:
    return _services(state).stream_times


def _keys(state: State) -> KeyService:
    return _services(state).keys


def _services(state: State) -> Services:
    services: Services = state.services
    return services
