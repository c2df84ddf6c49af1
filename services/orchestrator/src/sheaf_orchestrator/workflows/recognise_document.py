"""The workflow of the OCR lane: a document's own text, its pages in chunks, then the whole."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from sheaf_orchestrator.workflows.contracts import (
        BEGIN_RECOGNITION,
        FINISH_RECOGNITION,
        RECOGNISE_DOCUMENT,
        RECOGNISE_PAGES,
        BeginRecognitionInput,
        BeginRecognitionOutput,
        FinishRecognitionInput,
        ProcessGroupOutput,
        RecogniseDocumentInput,
        RecognisePagesInput,
        RecognisePagesOutput,
    )

_ONCE = RetryPolicy(maximum_attempts=1)
_LOST_WORKER = RetryPolicy(maximum_attempts=3, initial_interval=timedelta(seconds=1))
_MAX_STOPS = 20


@workflow.defn(name=RECOGNISE_DOCUMENT)
class RecogniseDocumentWorkflow:
    """Recognises one document (ADR 0013); one of no more than a chunk in a single activity.

    The first activity is tried once, like the text lane's: a document that takes its worker
    down is counted by the lease. The others are tried again after a lost worker, since what
    was read is kept; what fails inside them they settle themselves.
    """

    @workflow.run
    async def run(self, given: RecogniseDocumentInput) -> ProcessGroupOutput:
        """Runs the activities to the document's end. Fails if one fails for good."""
        begun: BeginRecognitionOutput = await workflow.execute_activity(
            BEGIN_RECOGNITION,
            BeginRecognitionInput(given.document, whole_up_to=given.pages_per_chunk),
            task_queue=given.ocr_task_queue,
            result_type=BeginRecognitionOutput,
            start_to_close_timeout=timedelta(
                seconds=given.begin_deadline_s + given.pages_deadline_s
            ),
            heartbeat_timeout=timedelta(seconds=given.heartbeat_timeout_s),
            retry_policy=_ONCE,
        )
        if begun.ended is not None:
            return begun.ended
        chunks = _Chunks(given, begun.pages)
        await asyncio.gather(*(chunks.read() for _ in range(given.chunks_at_once)))
        if chunks.ended is not None:
            return chunks.ended
        output: ProcessGroupOutput = await workflow.execute_activity(
            FINISH_RECOGNITION,
            FinishRecognitionInput(given.document, chunks.keys, len(begun.pages)),
            task_queue=given.ocr_task_queue,
            result_type=ProcessGroupOutput,
            start_to_close_timeout=timedelta(seconds=given.finish_deadline_s),
            heartbeat_timeout=timedelta(seconds=given.heartbeat_timeout_s),
            retry_policy=_LOST_WORKER,
        )
        return output


class _Chunks:
    """The pages of a document, a few at a time; `ended` once there is no point in going on."""

    def __init__(self, given: RecogniseDocumentInput, pages: list[int]) -> None:
        self._given = given
        self._total = len(pages)
        size = given.pages_per_chunk
        self._waiting = [pages[start : start + size] for start in range(0, len(pages), size)]
        self._done = 0
        self._stops = 0
        self._keys: dict[int, str] = {}
        self.ended: ProcessGroupOutput | None = None

    @property
    def keys(self) -> list[str]:
        """Where the pages lie, in their order."""
        return [self._keys[first] for first in sorted(self._keys)]

    async def read(self) -> None:
        """Reads chunk after chunk until none is left, or the document has ended."""
        while self._waiting and self.ended is None:
            pages = self._waiting.pop(0)
            output: RecognisePagesOutput = await workflow.execute_activity(
                RECOGNISE_PAGES,
                RecognisePagesInput(self._given.document, pages, self._done, self._total),
                task_queue=self._given.ocr_task_queue,
                result_type=RecognisePagesOutput,
                start_to_close_timeout=timedelta(seconds=self._given.pages_deadline_s),
                heartbeat_timeout=timedelta(seconds=self._given.heartbeat_timeout_s),
                retry_policy=_LOST_WORKER,
            )
            if output.ended is not None:
                self.ended = output.ended
            elif output.key:
                self._keys[pages[0]] = output.key
                self._done += len(pages)
            else:
                self._begin_again(pages)

    def _begin_again(self, pages: list[int]) -> None:
        """The worker stops in order, which is no failed try of the pages; but not for ever."""
        self._stops += 1
        if self._stops > _MAX_STOPS:
            raise ApplicationError(f"workers stopped {_MAX_STOPS} times over one document")
        self._waiting.insert(0, pages)
