"""/v1/batches: what was uploaded together."""

from typing import Any

from litestar import Controller, Request, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from sheaf_common.ids import parse_id
from sheaf_gateway.api import openapi
from sheaf_gateway.api.authentication import REQUIRES
from sheaf_gateway.api.body import until_gone
from sheaf_gateway.api.documents import Wait
from sheaf_gateway.api.fields import Fields, columns_of, selected
from sheaf_gateway.api.schemas import BatchBody, batch_body
from sheaf_gateway.domain.access import Scope
from sheaf_gateway.service.reading import ReadingService


class BatchController(Controller):
    """Batches of the user."""

    path = "/batches"
    tags = ("Batches",)

    @get(
        "/{batch_id:str}",
        opt={REQUIRES: Scope.READ},
        responses=openapi.read_responses(400, 404),
        summary="Read a batch",
    )
    async def read(
        self,
        request: Request[Any, Any, Any],
        batch_id: FromPath[str],
        reading: NamedDependency[ReadingService],
        wait: Wait = 0,
        fields: Fields = None,
    ) -> BatchBody:
        """A batch and its documents; with `wait`, as soon as its last document has ended."""
        identifier, names = parse_id(batch_id, "batch_id"), selected(fields)
        batch = await reading.batch(
            identifier, columns_of(names), wait, lambda: until_gone(request.receive)
        )
        return batch_body(batch, names)
