"""Activities of the OCR lane. They translate and delegate."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

from temporalio import activity

from sheaf_common import context
from sheaf_common.context import RequestContext
from sheaf_orchestrator.api.activity_spans import activity_span
from sheaf_orchestrator.api.attending import group_of, heartbeats, stop_signal
from sheaf_orchestrator.domain import Group, GroupSummary, Lane
from sheaf_orchestrator.service.recognition import DocumentRecogniser
from sheaf_orchestrator.workflows.contracts import (
    BEGIN_RECOGNITION,
    FINISH_RECOGNITION,
    RECOGNISE_PAGES,
    BeginRecognitionInput,
    BeginRecognitionOutput,
    FinishRecognitionInput,
    ProcessGroupOutput,
    RecognisePagesInput,
    RecognisePagesOutput,
    TaskInput,
)


@asynccontextmanager
async def _attended(
    document: TaskInput, *, opens: bool = False
) -> AsyncIterator[tuple[Group, asyncio.Event]]:
    """The document as the workflow owns it, and whether the worker stops."""
    workflow_id = activity.info().workflow_id or ""
    owned = group_of(workflow_id, Lane.OCR.value, document)
    with context.bound(RequestContext(request_id=workflow_id)), activity_span(owned, opens=opens):
        async with heartbeats(), stop_signal() as stopping:
            yield owned, stopping


def _ended(summary: GroupSummary | None) -> ProcessGroupOutput | None:
    return None if summary is None else ProcessGroupOutput(**asdict(summary))


@dataclass(frozen=True, slots=True)
class RecognitionActivities:
    """Activities of the OCR task queue."""

    recogniser: DocumentRecogniser

    @activity.defn(name=BEGIN_RECOGNITION)
    async def begin_recognition(self, given: BeginRecognitionInput) -> BeginRecognitionOutput:
        """Reads what the document itself holds; a short one to its end."""
        async with _attended(given.document, opens=True) as (group, stopping):
            begun = await self.recogniser.begin(
                group, whole_up_to=given.whole_up_to, stopping=stopping
            )
        return BeginRecognitionOutput(list(begun.pages), _ended(begun.ended))

    @activity.defn(name=RECOGNISE_PAGES)
    async def recognise_pages(self, given: RecognisePagesInput) -> RecognisePagesOutput:
        """Reads some pages."""
        async with _attended(given.document) as (group, stopping):
            read = await self.recogniser.read_pages(
                group,
                given.pages,
                pages_done=given.pages_done,
                pages_total=given.pages_total,
                stopping=stopping,
            )
        return RecognisePagesOutput(read.key, _ended(read.ended))

    @activity.defn(name=FINISH_RECOGNITION)
    async def finish_recognition(self, given: FinishRecognitionInput) -> ProcessGroupOutput:
        """Puts all together and records the outcome."""
        async with _attended(given.document) as (group, stopping):
            summary = await self.recogniser.finish(
                group, given.page_keys, pages_total=given.pages_total, stopping=stopping
            )
        return ProcessGroupOutput(**asdict(summary))
