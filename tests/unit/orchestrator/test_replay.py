"""Workflow code of today runs the histories of yesterday."""

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from sheaf_orchestrator.workflows.process_group import ProcessGroupWorkflow
from sheaf_orchestrator.workflows.recognise_document import RecogniseDocumentWorkflow
from sheaf_orchestrator.workflows.sweep import SweepWorkflow

WORKFLOWS = [ProcessGroupWorkflow, RecogniseDocumentWorkflow, SweepWorkflow]
HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))


def test_there_are_histories() -> None:
    """An empty folder would make the next claim an empty one."""
    assert [path.stem for path in HISTORIES] == [
        "process_group_completed",
        "process_group_failed",
        "recognise_document_completed",
        "recognise_document_lost",
        "recognise_document_stopped",
        "sweep_completed",
    ]


@pytest.mark.parametrize(
    "history",
    [WorkflowHistory.from_json(path.stem, path.read_text()) for path in HISTORIES],
    ids=[path.stem for path in HISTORIES],
)
async def test_a_saved_history_replays(history: WorkflowHistory) -> None:
    """A change that is not deterministic against it would strand running workflows."""
    await Replayer(workflows=WORKFLOWS).replay_workflow(history)
