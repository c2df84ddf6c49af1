"""Spans of the OCR lane's activities: in the document's trace, whichever worker has them."""

from dataclasses import dataclass, replace
from typing import Any

from pydantic import SecretStr
from temporalio.testing import ActivityEnvironment

from sheaf_common.ids import new_id
from sheaf_common.telemetry import tracing
from sheaf_common.telemetry.exporting import TracingSettings, process_tracing
from sheaf_orchestrator.api.recognition import RecognitionActivities
from sheaf_orchestrator.domain import Group, GroupSummary
from sheaf_orchestrator.service.recognition import Begun, PagesRead
from sheaf_orchestrator.workflows.contracts import (
    BeginRecognitionInput,
    FinishRecognitionInput,
    RecognisePagesInput,
    TaskInput,
)
from support.otlp import collector

_TRACE, _SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
_TRACED = TaskInput("d", 1, 0, "k", "image/png", 1, "", "", traceparent=f"00-{_TRACE}-{_SPAN}-01")


@dataclass
class Recogniser:
    """Does what it is asked for, in a span."""

    async def begin(self, _group: Group, **_rest: Any) -> Begun:
        """One page is left."""
        with tracing.span("work"):
            return Begun((1,))

    async def read_pages(self, _group: Group, _pages: list[int], **_rest: Any) -> PagesRead:
        """It is read."""
        with tracing.span("work"):
            return PagesRead("key")

    async def finish(self, _group: Group, _keys: list[str], **_rest: Any) -> GroupSummary:
        """All is done."""
        with tracing.span("work"):
            return GroupSummary(completed=1)


async def test_every_activity_of_a_scan_is_in_its_trace() -> None:
    """Each with its work below it; the way to the first one, from the claim on, is told once."""
    activities: Any = RecognitionActivities(Recogniser())  # type: ignore[arg-type] # a fake
    untraced = replace(_TRACED, traceparent="")
    environment = ActivityEnvironment()
    with collector() as receiving:
        settings = TracingSettings.model_construct(
            endpoint=receiving.endpoint,
            headers=SecretStr(""),
            sampled_ratio=1.0,
            service_name="orchestrator",
        )
        async with process_tracing(settings, "tests"):
            for task in (_TRACED, untraced):
                for activity, given in (
                    (activities.begin_recognition, BeginRecognitionInput(task)),
                    (activities.recognise_pages, RecognisePagesInput(task, [1], 0, 1)),
                    (activities.finish_recognition, FinishRecognitionInput(task, ["key"], 1)),
                ):
                    environment.info = replace(
                        environment.info,
                        workflow_id=str(new_id()),
                        workflow_type="RecogniseDocument",
                        activity_type=activity.__name__,
                        heartbeat_timeout=environment.info.start_to_close_timeout,
                    )
                    await environment.run(activity, given)
    assert {span.trace_id for span in receiving.spans} == {_TRACE}
    top = [span for span in receiving.spans if span.parent_id == _SPAN]
    assert [span.name for span in top] == [
        "workflow RecogniseDocument",
        "activity begin_recognition",
        "activity recognise_pages",
        "activity finish_recognition",
    ]
    assert [span.parent_id for span in receiving.spans if span.name == "work"] == [
        span.span_id for span in top if span.name.startswith("activity")
    ]
    assert all(span.attributes["sheaf.document.id"] == "d" for span in top)
