"""/v1/workflows: what was worked on together."""

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from sheaf_gateway.api import openapi
from sheaf_gateway.api.authentication import REQUIRES
from sheaf_gateway.api.fields import Fields, columns_of, selected
from sheaf_gateway.api.schemas import WorkflowBody, workflow_body
from sheaf_gateway.domain.access import Scope
from sheaf_gateway.service.reading import ReadingService


class WorkflowController(Controller):
    """Workflows that work on the user's documents."""

    path = "/workflows"
    tags = ("Workflows",)

    @get(
        "/{workflow_id:str}",
        opt={REQUIRES: Scope.READ},
        responses=openapi.read_responses(400, 404),
        summary="Read a workflow",
    )
    async def read(
        self,
        workflow_id: FromPath[str],
        reading: NamedDependency[ReadingService],
        fields: Fields = None,
    ) -> WorkflowBody:
        """The documents of the user that a workflow holds or ended, at most 500."""
        names = selected(fields)
        return workflow_body(await reading.workflow(workflow_id, columns_of(names)), names)
